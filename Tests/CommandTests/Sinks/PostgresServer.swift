import Foundation
import Glibc
import TestSupport
import Testing

/// PostgreSQL on a free loopback port, with its data in the test's directory; ends with the test.
final class PostgresServer {
  private(set) var port = 0
  private let scratch: Scratch
  private var child: Child?

  init(_ scratch: Scratch) throws {
    self.scratch = scratch
    let user = PostgresServer.user.joined(separator: " ")
    let owner = getuid() == 0 ? "-o postgres" : ""
    try scratch.sh(
      """
      install -d \(owner) postgres && cd postgres
      \(user) \(PostgresServer.programs)/initdb -D data -A trust -U postgres -E UTF8 --no-sync > initdb.log
      # A role that needs a password.
      sed -i '1i host all locked 127.0.0.1/32 scram-sha-256' data/pg_hba.conf
      """
    ).expect("")
    repeat {
      port = try Loopback.freePorts(1)[0]
      // Another test may have taken the port meanwhile.
    } while try !isStarted()
  }

  deinit { crash() }

  func start() throws {
    guard try isStarted() else {
      throw Failure("PostgreSQL: \(try scratch.sh("cat postgres.log"))")
    }
  }

  private func isStarted() throws -> Bool {
    let command =
      "exec \(PostgresServer.user.joined(separator: " ")) \(PostgresServer.programs)/postgres "
      + "-D postgres/data -p \(port) -c listen_addresses=127.0.0.1 -c unix_socket_directories= "
      + "> postgres.log 2>&1"
    let server = try scratch.start(["sh", "-c", command])
    child = server
    var hasStarted = false
    try wait(
      until: {
        hasStarted = try psql("SELECT 1").ending == .exited(0)
        return hasStarted || !server.isRunning
      }, "PostgreSQL")
    return hasStarted
  }

  /// Stops at once without a checkpoint: the next start recovers committed data from the log.
  func crash() {
    child?.signal(SIGQUIT)
    child?.reap()
    child = nil
  }

  /// Stops all processes of the server without a word to their clients.
  func freeze() throws { try scratch.sh(signal("STOP")).expect(nil) }

  func thaw() throws { try scratch.sh(signal("CONT")).expect(nil) }

  private func signal(_ name: String) -> String {
    "main=$(head -n 1 postgres/data/postmaster.pid); kill -\(name) $main $(ps -o pid= --ppid $main)"
  }

  var environment: [String: String] {
    [
      "PGHOST": "127.0.0.1", "PGPORT": "\(port)", "PGUSER": "postgres", "PGDATABASE": "postgres",
    ].merging(sinkEnvironment) { $1 }
  }

  func psql(_ command: String) throws -> Run {
    try scratch.run(["psql", "-XAtqc", command], environment)
  }

  /// The lines of the result.
  func ask(_ query: String) throws -> [String] { try psql(query).expect().lines }

  func count() throws -> Int { Int(try psql("SELECT count(*) FROM logs").lines.first ?? "") ?? -1 }

  /// Blocks inserts until the child is told to end.
  func hold() throws -> Child {
    let child = try scratch.start(["psql", "-XAtq"], environment)
    child.feed("BEGIN; LOCK TABLE logs IN SHARE MODE; SELECT 'held';\n")
    guard child.line() == "held" else { throw Failure("no lock: \(child.finish())") }
    return child
  }

  /// PostgreSQL refuses to run as root.
  private static let user =
    getuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : []

  /// Where Debian keeps the programs of the server; elsewhere they are in the PATH.
  static let programs: String = {
    let base = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
    let paths = versions.map { "\(base)/\($0)/bin" }
    return paths.last { access($0 + "/initdb", X_OK) == 0 } ?? "/usr/bin"
  }()
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
      lacks("psql") ?? lacks("jq")
        ?? (access(PostgresServer.programs + "/initdb", X_OK) == 0
          ? nil : "the server of PostgreSQL is not installed")
        ?? (imports("psycopg2") ? nil : "psycopg2 is not installed (a package of Python)")
    }
  }
}
