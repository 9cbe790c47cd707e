import Foundation
import TestSupport
import Testing

/// A queue in a PostgreSQL server of its own, and the `pipe` that can use it.
final class Fleet {
  let scratch: Scratch
  let server: PostgresServer
  let address: String

  init() throws {
    scratch = try Scratch(binary: Binary.besideTests)
    server = try PostgresServer(scratch)
    address = "postgres://postgres@127.0.0.1:\(server.port)/postgres/jobs"
    try sh("pipe init --backoff 0s..0s").expect()
  }

  private var environment: [String: String] { ["PIPE_QUEUE": address] }

  @discardableResult
  func sh(_ line: String, input: String? = nil) throws -> Run {
    try scratch.sh(line, input: input ?? "", environment)
  }

  func start(_ line: String) throws -> Child { try scratch.start(line: line, environment) }

  /// The lines that a query in the schema of the queue returns.
  func ask(_ query: String) throws -> [String] {
    try server.ask("set search_path = jobs; " + query)
  }

  /// Ready, claimed, later and dead items of all lanes.
  func census() throws -> String {
    try ask(
      "select sum(ready) || ' ' || sum(claimed) || ' ' || sum(later) || ' ' || sum(dead) from census_1()"
    )
    .joined()
  }
}

extension Trait where Self == Needs {
  /// Requires a `pipe` beside the tests that was built with the trait Postgres.
  static var needsFleet: Needs {
    Needs {
      lacksPostgresServer() ?? lacks("jq")
        ?? (hasTrait ? nil : "the tests were not built with --traits Postgres")
    }
  }
}

private let hasTrait: Bool = {
  guard let scratch = try? Scratch(binary: Binary.besideTests) else { return false }
  let run = try? scratch.sh("pipe list -q postgres://127.0.0.1:1/d/q 2>&1")
  return run?.output.contains("pipe-postgres") == false
}()
