import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/sinks/influxdb", .needsInfluxDB)
struct InfluxDBSinkTests {
  private let scratch: Scratch
  private let server: InfluxDBServer
  private let sink = Scratch.sink("influxdb")

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    server = try InfluxDBServer(scratch)
  }

  private func run(_ more: [String: String] = [:]) throws -> Run {
    try scratch.sh(sink, server.environment.merging(more) { $1 })
  }

  /// Stores records `{"n":1,"timestamp":1}`, with the time in nanoseconds.
  private func storePoints(_ numbers: ClosedRange<Int>) throws {
    let line = #"s/.*/{"n":&,"timestamp":&}/"#
    let range = "\(numbers.lowerBound) \(numbers.upperBound)"
    try scratch.sh("seq \(range) | sed '\(line)' | pipe enqueue --raw --quiet").expect("")
  }

  @Test("the record of the header becomes the point of the header")
  func header() throws {
    let script = try String(contentsOfFile: Scratch.example("sinks/influxdb"), encoding: .utf8)
    let record = try #require(script.firstMatch(of: #/\nturns (\{.*\}) into\n/#)?.1)
    try scratch.store(String(record))
    try run(["INFLUXDB_TAGS": "source,data.sensor_id"]).expect("")
    #expect(
      try server.rows("SELECT * FROM logs") == [
        #"{"data.sensor_id":"A-123","data.temperature":25.5,"source":"attic","#
          + #""time":1722254400000000000}"#
      ])
    #expect(try server.rows("SHOW TAG KEYS").count == 2)
  }

  @Test("a killed server and a killed consumer leave 40,000 points, each once")
  func crashes() throws {
    try storePoints(1...20_000)
    let following = Scratch.sink("influxdb", "--follow --size 1000 --stream")
    let consumer = try scratch.start(line: following, server.environment)
    try wait(until: { try server.count() > 0 })
    server.crash()
    try storePoints(20_001...40_000)
    try scratch.waitForClaim()
    consumer.signal(SIGKILL)
    try server.start()
    try wait(until: {
      try run().expect(errors: nil)
      return try scratch.pipe("list").expect().output.isEmpty
    })
    #expect(try server.count() == 40_000)
    #expect(try server.rows("SELECT sum(n) FROM logs") == [#"{"sum":800020000,"time":0}"#])
  }

  @Test("strings, numbers and names arrive as they are")
  func values() throws {
    let text = #"a\\b \"c\", d=e\\\n\té\\\"\\"#
    try scratch.store(
      #"{"timestamp":1,"s":"\#(text)","empty":"","t":true,"f":false,"none":null,"o":{},"#
        + #""tag":"é, =\"\\n"}"#,
      #"{"timestamp":2,"a b,c=d\"":1.50,"é":-0.25e-3,"o":{"p":{"q":7}},"#
        + #""list":[1.50,{"x y":null},[]],"tag":8,"i":-9223372036854775808,"more =tag":"x"}"#,
      #"{"timestamp":3,"v":25,"tag":"","more =tag":null}"#,
      #"{"timestamp":4,"v":25.5,"tag":[1.0,"a b"]}"#)
    try run([
      "INFLUXDB_TAGS": "tag,more =tag,tag", "INFLUXDB_INTEGERS": "i",
      "INFLUXDB_MEASUREMENT": "a b,c=d",
    ]).expect("")
    #expect(
      try server.rows(#"SELECT * FROM "a b,c=d""#) == [
        #"{"empty":"","f":false,"s":"\#(text)","t":true,"tag":"é, =\"\\n","time":1}"#,
        #"{"a b,c=d\"":1.5,"i":-9223372036854775808,"list":"[1.50,{\"x y\":null},[]]","#
          + #""more =tag":"x","o.p.q":7,"tag":"8","time":2,"é":-0.00025}"#,
        #"{"time":3,"v":25}"#, #"{"tag":"[1.0,\"a b\"]","time":4,"v":25.5}"#,
      ])
  }

  @Test("integers are integers where the settings say so")
  func integers() throws {
    try scratch.store(#"{"timestamp":1,"a":9223372036854775807,"b":1,"c":1.0}"#)
    try run(["INFLUXDB_INTEGERS": "*"]).expect("")
    #expect(
      try server.rows("SHOW FIELD KEYS") == [
        #"{"fieldKey":"a","fieldType":"integer"}"#, #"{"fieldKey":"b","fieldType":"integer"}"#,
        #"{"fieldKey":"c","fieldType":"float"}"#,
      ])
    #expect(
      try server.rows("SELECT * FROM logs") == [#"{"a":9223372036854775807,"b":1,"c":1,"time":1}"#])
  }

  @Test("bad records alone are buried, with the reason")
  func badRecords() throws {
    try storePoints(1...200)
    let bad = [
      #"{"n":"old","timestamp":7}"#: #"400 partial write: field type conflict: input field "n""#,
      #"{"n":1e999,"timestamp":7}"#: "400 unable to parse 'logs n=1e999 7': invalid float",
      #"{"n":9007199254740993,"timestamp":7}"#: "n: a float does not hold 9007199254740993",
      #"{"n":1,"timestamp":9999999999999999999}"#: "400 unable to parse",
      #"{"n":1,"timestamp":"2024-02-30T00:00:00Z"}"#: "day is out of range for month",
      #"{"n":1,"timestamp":"yesterday"}"#:
        #"timestamp: not a time in RFC 3339 or a number: "yesterday""#,
      #"{"n":1,"timestamp":1.5}"#: "timestamp: not a time",
      #"{"n":1}"#: "timestamp: not a time in RFC 3339 or a number: null",
      #"{"timestamp":7,"x":null}"#: "no field",
      #"{"timestamp":7,"time":1}"#: "time: InfluxDB has no field of this name",
      #"{"timestamp":7,"tag":"a\\","n":1}"#: #"'a\\': the line protocol has no such backslash"#,
      #"{"timestamp":7,"tag":"a\nb","n":1}"#: #"'a\nb': the line protocol has no such"#,
      #"{"timestamp":7,"a\\\"":1}"#: #"'a\\"': the line protocol has no such backslash"#,
      #"{"timestamp":7,"":1}"#: "400 unable to parse",
      #"{"timestamp":7,"i":1.5}"#: "i: 1.5 is not an integer",
      #"{"timestamp":7,"i":9223372036854775808}"#: "400 unable to parse",
      #"{"timestamp":7,"a":1,"a":2}"#: "a: two members have this name",
      #"{"timestamp":7,"a.b":1,"a":{"b":2}}"#: "a.b: two members have this name",
      "7": "timestamp: ",
    ]
    try scratch.sh("pipe enqueue --raw --quiet", input: bad.keys.joined(separator: "\n")).expect("")
    try storePoints(201...400)
    try run(["INFLUXDB_TAGS": "tag", "INFLUXDB_INTEGERS": "i"]).expect("", errors: nil, status: 1)
    #expect(try server.count() == 400)
    let reasons = try scratch.sh("pipe dead | jq -r .reason").expect().lines
    #expect(reasons.count == bad.count)
    for start in bad.values {
      #expect(reasons.contains { $0.hasPrefix(start) }, "\(start): \(reasons)")
    }
  }

  @Test("times keep every nanosecond, in any zone and unit")
  func times() throws {
    try scratch.store(
      #"{"at":"2024-07-29T14:00:00.123456789+02:00","n":1}"#,
      #"{"at":"1969-12-31t23:59:59.5z","n":2}"#,
      #"{"at":1722254400.000000001,"n":3}"#, #"{"at":-1,"n":4}"#)
    try run(["INFLUXDB_TIME": "at", "INFLUXDB_PRECISION": "s"]).expect("")
    #expect(
      try server.rows("SELECT n FROM logs") == [
        #"{"n":4,"time":-1000000000}"#, #"{"n":2,"time":-500000000}"#,
        #"{"n":3,"time":1722254400000000001}"#, #"{"n":1,"time":1722254400123456789}"#,
      ])
  }

  @Test("without a time in the records, each item is a point of its own at the time of its receipt")
  func receipts() throws {
    let ids = try scratch.store(#"{"ids":[7,8,7]}"#, #""a""#, "[1]")
    try scratch.sh("cp -r queue again").expect("")
    let settings = ["INFLUXDB_INTEGERS": "value"]
    // An empty variable counts here, and the harness leaves it out.
    let line = "INFLUXDB_TIME= \(sink)"
    try scratch.sh(line, server.environment.merging(settings) { $1 }).expect(
      "", errors: nil, status: 1)
    let again = settings.merging(["PIPE_QUEUE": scratch.path("again")]) { $1 }
    try scratch.sh(line, server.environment.merging(again) { $1 }).expect(
      "", errors: nil, status: 1)
    let rows = try server.rows("SELECT id, value FROM logs").map(jsonObject)
    #expect(
      rows.map { "\($0["id"] ?? "") \($0["value"] ?? "")" }.sorted() == [
        "\(ids[0]) 7", "\(ids[0])-2 8", "\(ids[0])-3 7",
      ])
    // The first ten digits of an id are its milliseconds.
    let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    let made = ids[0].prefix(10).reduce(0) { $0 * 32 + (digits.firstIndex(of: $1) ?? 0) }
    let time = try server.rows("SELECT value FROM logs WHERE id = '\(ids[0])'").map(jsonObject)
    #expect(time.first?["time"] as? Int == made * 1_000_000)
  }

  @Test("points that are redelivered or too many for a request are stored once")
  func large() throws {
    let long = String(repeating: "x", count: 60_000)
    let lines = (1...40).map { #"{"timestamp":\#($0),"n":\#($0),"s":"\#(long)"}"# }
    let longest = #"{"timestamp":99,"n":99,"s":"\#(String(repeating: "x", count: 1_100_000))"}"#
    let input = (lines + [longest]).joined(separator: "\n")
    try scratch.sh("pipe enqueue --raw --quiet --max-record-bytes 2MiB", input: input).expect(
      errors: nil)
    try scratch.sh("cp -r queue again").expect("")
    try run().expect("", errors: nil, status: 1)
    try run(["PIPE_QUEUE": scratch.path("again")]).expect("", errors: nil, status: 1)
    #expect(try server.count() == 40)
    #expect(try scratch.sh("pipe dead | jq -r .reason").expect().output.hasPrefix("413 "))
  }

  @Test(
    "settings that cannot work stop the consumer, no attempt counted",
    arguments: [
      (["INFLUXDB_DATABASE": "missing"], #"404 {"error":"database not found: \"missing\""}"#),
      (["INFLUXDB_URL": "http://admin:wrong@127.0.0.1:PORT"], "401 "),
      (["INFLUXDB_URL": "http://reader:reader@127.0.0.1:PORT"], "403 "),
      (["INFLUXDB_URL": "what"], "INFLUXDB_URL: not an address like http://HOST:PORT"),
      (["INFLUXDB_DATABASE": ""], "no database given"),
      (["INFLUXDB_PRECISION": "m"], "INFLUXDB_PRECISION: not one of s, ms, us, ns"),
      (["INFLUXDB_TAGS": "a,time"], "INFLUXDB_TAGS: time"),
      (["INFLUXDB_MEASUREMENT": "#a"], "INFLUXDB_MEASUREMENT: begins with #"),
      (["INFLUXDB_URL": "http://127.0.0.1:1", "SINK_WAIT": "0.2"], "Connection refused"),
    ])
  func settings(environment: [String: String], words: String) throws {
    try storePoints(1...1)
    let run = try run(environment.mapValues { $0.replacing("PORT", with: "\(server.port)") })
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.contains(words) && !run.errors.contains("s3%20cret"), run.story)
    #expect(try scratch.attempts() == [#"{"n":1,"timestamp":1} 1"#])
  }

  @Test("the sink waits for a server that responds with an error of its own or is down")
  func away() throws {
    try storePoints(1...2)
    server.crash()
    let consumer = try scratch.start(line: sink, server.environment)
    #expect(consumer.errorLine()?.contains("Connection refused; trying again for 60 s") == true)
    try server.start()
    consumer.finish().expect("", errors: nil)
    #expect(try server.count() == 2)
  }

  /// Responds with 500, then with a proxy's 400, then with 204.
  private static let program = """
    from http.server import BaseHTTPRequestHandler, HTTPServer
    answers = [(500, b'{"error":"timeout"}'), (400, b"<html>"), (204, b"")]
    class Handler(BaseHTTPRequestHandler):
      def log_message(self, *rest): pass
      def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    while answers: server.handle_request()
    """

  @Test("a server error and the error of a proxy are retried, and bury nothing")
  func proxy() throws {
    try storePoints(1...1)
    let proxy = try scratch.start(["python3", "-c", InfluxDBSinkTests.program])
    let address = "http://127.0.0.1:\(try #require(proxy.line()))"
    let run = try run(["INFLUXDB_URL": address]).expect("", errors: nil)
    #expect(run.errors.contains(#"500 {"error":"timeout"}; trying again"#), run.story)
    #expect(proxy.finish().ending == .exited(0))
  }
}
