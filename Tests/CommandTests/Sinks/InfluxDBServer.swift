import Foundation
import Glibc
import TestSupport
import Testing

/// InfluxDB on free loopback ports, with its data in the test's directory and a database `logs`. It
/// ends with the test.
final class InfluxDBServer {
  let port: Int
  private let scratch: Scratch
  private var child: Child?

  init(_ scratch: Scratch) throws {
    self.scratch = scratch
    let ports = try Loopback.freePorts(2)
    port = ports[0]
    try scratch.write(
      """
      reporting-disabled = true
      bind-address = "127.0.0.1:\(ports[1])"
      [meta]
      dir = "influxdb/meta"
      [data]
      dir = "influxdb/data"
      wal-dir = "influxdb/wal"
      [http]
      bind-address = "127.0.0.1:\(port)"
      max-body-size = 1000000
      auth-enabled = true

      """, to: "influxdb.conf")
    try start()
    try command("CREATE USER admin WITH PASSWORD 's3 cret' WITH ALL PRIVILEGES")
    try command("CREATE USER reader WITH PASSWORD 'reader'")
    try command("CREATE DATABASE logs")
  }

  deinit { crash() }

  func start() throws {
    child = try scratch.start([
      "sh", "-c", "exec influxd -config influxdb.conf > influxdb.log 2>&1",
    ])
    try wait(until: { try scratch.sh("curl -sf \(address)/ping").ending == .exited(0) }, "InfluxDB")
  }

  /// It has no time to write anything.
  func crash() {
    child?.signal(SIGKILL)
    child?.reap()
    child = nil
  }

  private var address: String { "http://127.0.0.1:\(port)" }

  var environment: [String: String] {
    ["INFLUXDB_URL": "http://admin:s3%20cret@127.0.0.1:\(port)/", "INFLUXDB_DATABASE": "logs"]
      .merging(sinkEnvironment) { $1 }
  }

  func command(_ text: String) throws {
    let run = try ask(text, "-X", "POST")
    guard run.output.contains(#"{"statement_id":0}"#) else { throw Failure("refused: \(run)") }
  }

  private func ask(_ query: String, _ options: String...) throws -> Run {
    let parts = [
      "-u", "admin:s3 cret", "--data-urlencode", "db=logs", "--data-urlencode", "epoch=ns",
    ]
    return try scratch.run(
      ["curl", "-sG"] + options + parts + ["--data-urlencode", "q=\(query)", "\(address)/query"])
  }

  /// Prints each row as a JSON object with sorted names, without the values that a point does not have.
  private static let program = """
    import json, sys
    for series in json.load(sys.stdin)["results"][0].get("series", []):
      for values in series["values"]:
        row = {name: value for name, value in zip(series["columns"], values) if value is not None}
        print(json.dumps(row, ensure_ascii=False, separators=(",", ":"), sort_keys=True))
    """

  /// The rows of the result. jq would round their numbers.
  func rows(_ query: String) throws -> [String] {
    let answer = try ask(query).expect()
    let program = ["python3", "-c", InfluxDBServer.program]
    return try scratch.run(program, input: answer.bytes, ["LC_ALL": "C.UTF-8"]).expect().lines
  }

  func count() throws -> Int {
    let row = try rows("SELECT count(n) FROM logs").first.map(jsonObject)
    return row?["count"] as? Int ?? 0
  }
}

extension Trait where Self == Needs {
  static var needsInfluxDB: Needs { .needs("influxd", "curl", "jq", "python3") }
}
