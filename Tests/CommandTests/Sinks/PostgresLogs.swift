import Foundation
import TestSupport
import Testing

extension PostgresServer {
  /// For sinks.
  var environment: [String: String] { clients.merging(sinkEnvironment) { $1 } }

  func count() throws -> Int { Int(try psql("SELECT count(*) FROM logs").lines.first ?? "") ?? -1 }

  /// Blocks inserts until the child ends.
  func hold() throws -> Child {
    let child = try scratch.start(["psql", "-XAtq"], clients)
    child.feed("BEGIN; LOCK TABLE logs IN SHARE MODE; SELECT 'held';\n")
    guard child.line() == "held" else { throw Failure("no lock: \(child.finish())") }
    return child
  }
}

/// For programs that import modules of PyPI and leave nothing beside the scripts of the repository.
let sinkEnvironment = [
  "PYTHONPATH": ProcessInfo.processInfo.environment["PYTHONPATH"] ?? "",
  "PYTHONDONTWRITEBYTECODE": "1", "no_proxy": "*",
]

extension Scratch {
  /// A command line that runs a sink of examples/sinks for everything that is ready.
  static func sink(_ name: String, _ options: String = "--size 1000 --stream") -> String {
    "pipe consume \(options) -- '\(Repository.path)/examples/sinks/\(name)'"
  }

  /// Reasons of the dead letters, by data.
  func buried() throws -> [String: String] {
    let pairs = try sh("pipe dead | jq -c '[(.data | tojson), .reason]'").expect().lines.map {
      try JSONDecoder().decode([String].self, from: Data($0.utf8))
    }
    return Dictionary(pairs.map { ($0[0], $0[1]) }) { $0 + "; " + $1 }
  }

  /// Stores records and appends them to a file; returns their ids.
  func storeMany(_ numbers: ClosedRange<Int>) throws -> [String] {
    let line = #"s/.*/{"n":&,"price":&.50,"text":"é"}/"#
    return try sh(
      """
      pipe init
      seq \(numbers.lowerBound) \(numbers.upperBound) | sed '\(line)' | tee -a records | pipe enqueue --raw
      """
    ).expect().receipts
  }
}

extension Trait where Self == Needs {
  static var needsPostgres: Needs {
    Needs {
      lacksPostgresServer() ?? lacks("jq")
        ?? (imports("psycopg2") ? nil : "psycopg2 is not installed (a package of Python)")
    }
  }
}
