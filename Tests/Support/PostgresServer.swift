import Foundation
import Glibc
package import Testing

/// PostgreSQL on a free loopback port, with its data in the test's directory; ends with the test.
package final class PostgresServer {
  package let port: Int
  package let scratch: Scratch
  private var child: Child?

  package init(_ scratch: Scratch) throws {
    self.scratch = scratch
    port = try Loopback.freePorts(1)[0]
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
    try start()
  }

  deinit { crash() }

  package func start() throws {
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
    guard hasStarted else { throw Failure("PostgreSQL: \(try scratch.sh("cat postgres.log"))") }
  }

  /// Stops at once without a checkpoint: the next start recovers committed data from the log.
  package func crash() {
    child?.signal(SIGQUIT)
    child?.reap()
    child = nil
  }

  /// Stops all processes of the server without a word to their clients.
  package func freeze() throws { try scratch.sh(signal("STOP")).expect(nil) }

  package func thaw() throws { try scratch.sh(signal("CONT")).expect(nil) }

  private func signal(_ name: String) -> String {
    "main=$(head -n 1 postgres/data/postmaster.pid); kill -\(name) $main $(ps -o pid= --ppid $main)"
  }

  /// For psql and other clients of libpq.
  package var clients: [String: String] {
    [
      "PGHOST": "127.0.0.1", "PGPORT": "\(port)", "PGUSER": "postgres", "PGDATABASE": "postgres",
    ]
  }

  package func psql(_ command: String) throws -> Run {
    try scratch.run(["psql", "-XAtqc", command], clients)
  }

  /// The lines of the result.
  package func ask(_ query: String) throws -> [String] { try psql(query).expect().lines }

  /// Changes a setting. The processes of the server learn it a moment later.
  package func set(_ name: String, _ value: String) throws {
    _ = try ask("alter system set \(name) = '\(value)'")
    _ = try ask("select pg_reload_conf()")
  }

  /// PostgreSQL refuses to run as root.
  private static let user =
    getuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : []

  /// Where Debian keeps the programs of the server; elsewhere they are in the PATH.
  package static let programs: String = {
    let base = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
    let paths = versions.map { "\(base)/\($0)/bin" }
    return paths.last { access($0 + "/initdb", X_OK) == 0 } ?? "/usr/bin"
  }()
}

extension Trait where Self == Needs {
  package static var needsPostgresServer: Needs { Needs { lacksPostgresServer() } }
}

package func lacksPostgresServer() -> String? {
  lacks("psql")
    ?? (access(PostgresServer.programs + "/initdb", X_OK) == 0
      ? nil : "the server of PostgreSQL is not installed")
}
