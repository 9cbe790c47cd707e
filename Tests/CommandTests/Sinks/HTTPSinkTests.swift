import Foundation
import Glibc
import TestSupport
import Testing

@Suite(
  "examples/sinks/http", .needs("jq", "python3"), .needsModule("requests", of: "requests"))
struct HTTPSinkTests {
  private let scratch: Scratch
  private let server: Child
  private let address: String

  /// Responds to a record `{"answers":[503,200]}` with these statuses in turn, and to any other
  /// with 200; logs the status, the key and the body of each request.
  private static let program = #"""
    import json, sys, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    seen = {}
    class Handler(BaseHTTPRequestHandler):
      def log_message(self, *rest): pass
      def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key, record = self.headers["Idempotency-Key"], json.loads(body)
        answers = record.get("answers", [200]) if isinstance(record, dict) else [200]
        status = answers[min(seen.get(key, 0), len(answers) - 1)]
        seen[key] = seen.get(key, 0) + 1
        if self.path == "/token" and self.headers["Authorization"] != "Bearer secret": status = 401
        with open("requests", "ab") as file: file.write(b"%d %s " % (status, key.encode()) + body + b"\n")
        if status == 0: return self.close_connection
        self.send_response(status)
        if status == 429: self.send_header("Retry-After", "3600")
        if status in (206, 422): self.send_header("Content-Length", "900")
        if status in (207, 422): self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(b"because of %d" % status)
        while status == 413: self.wfile.write(b" and so on" * 10000)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
    """#

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    server = try scratch.start(["python3", "-c", HTTPSinkTests.program])
    guard let port = server.line() else { throw Failure("no server") }
    address = "http://127.0.0.1:\(port)/"
  }

  private func run(_ address: String, _ more: [String: String] = [:]) throws -> Run {
    try scratch.sh(
      "\(Scratch.sink("http", "--size 8 --stream")) '\(address)'",
      sinkEnvironment.merging(more) { $1 })
  }

  @Test("each item is one request, byte for byte, with a key of its own")
  func bytes() throws {
    let ids = try scratch.store(
      #"{"é":1.50,\#t"b":"\u0000 $(date) \\ '\"%s"}"#, #"{"ids":[7,8]}"#, #""@/etc/passwd""#,
      #"[{"items":[{"id":"x","item":1,"data":9}]}]"#)
    try run(address).expect("")
    #expect(
      try scratch.lines(of: "requests").sorted { $0.dropFirst(4) < $1.dropFirst(4) } == [
        #"200 \#(ids[0]) {"é":1.50,\#t"b":"\u0000 $(date) \\ '\"%s"}"#, "200 \(ids[1]) 7",
        "200 \(ids[1])-2 8", #"200 \#(ids[2]) "@/etc/passwd""#,
        #"200 \#(ids[3]) [{"items":[{"id":"x","item":1,"data":9}]}]"#,
      ])
  }

  @Test("the sink waits for a server that responds with 503 or drops the connection")
  func again() throws {
    let body = #"{"answers":[503,0,201]}"#
    let id = try scratch.store(body)[0]
    let run = try run(address).expect("", errors: nil)
    #expect(run.errors.hasPrefix("http: 503: because of 503; trying again for 60 s\n"), run.story)
    #expect(try scratch.lines(of: "requests") == [503, 0, 201].map { "\($0) \(id) \(body)" })
  }

  @Test("a server that stores a part of the batch each time is not given up")
  func progress() throws {
    try scratch.store(
      #"{"answers":[503,200]}"#, #"{"answers":[503,503,200]}"#, #"{"answers":[503,503,503,200]}"#,
      "1")
    // SINK_WAIT is over before the second round.
    try run(address, ["SINK_WAIT": "0.1"]).expect("", errors: nil)
    #expect(try scratch.lines(of: "requests").count == 10)
  }

  @Test(
    "items with a result are settled and not sent again, even if the sink waits in vain for another"
  )
  func judged() throws {
    let away = #"{"answers":[503]}"#
    try scratch.store("1", away, #"{"answers":[400]}"#, #"{"answers":[500]}"#)
    try run(address, ["SINK_WAIT": "0.1"]).expect("", errors: nil, status: 69)
    #expect(
      try scratch.lines(of: "requests").map { $0.prefix(3) }.sorted() == [
        "200", "400", "500", "503", "503",
      ])
    #expect(try scratch.buried() == [#"{"answers":[400]}"#: "400: because of 400"])
    #expect(try scratch.attempts().sorted() == [#"{"answers":[500]} 2"#, "\(away) 1"])
  }

  @Test("a 500 counts as an attempt, and the queue retries the item")
  func retried() throws {
    try scratch.store(#"{"answers":[500,200]}"#)
    try run(address).expect("", errors: nil, status: 1)
    #expect(try scratch.attempts() == [#"{"answers":[500,200]} 2"#])
  }

  @Test("the sink waits for Retry-After within SINK_WAIT, and sends stored items only once")
  func stopped() throws {
    try scratch.store("1", #"{"answers":[429,429,200]}"#, "3")
    let short = ["SINK_WAIT": "0.1"]
    try run(address, short).expect("", errors: nil, status: 69)
    try run(address).expect("")
    #expect(
      try scratch.lines(of: "requests").map { $0.prefix(3) }.sorted() == [
        "200", "200", "200", "429", "429",
      ])
    #expect(try scratch.pipe("list", "--state", "done").expect().lines.count == 3)
  }

  @Test("an item that the server refuses for good is buried with the server's words")
  func refused() throws {
    try scratch.store(#"{"answers":[410]}"#, #"{"n":1}"#, #"{"answers":[400]}"#)
    try run(address).expect("", errors: nil, status: 1)
    #expect(
      try scratch.buried() == [
        #"{"answers":[410]}"#: "410: because of 410", #"{"answers":[400]}"#: "400: because of 400",
      ])
    #expect(try scratch.pipe("list", "--state", "done").expect().lines.count == 1)
  }

  @Test("a wrong address stops the consumer, no attempt counted")
  func settings() throws {
    for status in [301, 401, 403, 404, 405] {
      try scratch.store(#"{"answers":[\#(status),200]}"#)
      let run = try run(address).expect("", errors: nil, status: 69)
      #expect(run.errors.contains("http: \(status): because of"), run.story)
      try scratch.sh("pipe consume -- sh -c 'echo $PIPE_ATTEMPT'").expect("1\n")
    }
    try scratch.store("1")
    for (wrong, words) in [
      ("", "no address given"), ("what://x", "SINK_URL: not an address like http://HOST:PORT"),
      ("http://[", "SINK_URL: not an address"), ("127.0.0.1:1", "SINK_URL: not an address"),
      ("http://127.0.0.1:1", "http: 127.0.0.1:1: [Errno 111] Connection refused\n"),
    ] {
      let run = try run(wrong, ["SINK_WAIT": "0"]).expect("", errors: nil, status: 69)
      #expect(run.errors.contains(words), run.story)
    }
    #expect(try scratch.attempts() == ["1 1"])
  }

  @Test("a record that looks like a batch line is a record like any other")
  func likeness() throws {
    let record =
      #"[{"id":"01M7YFR55BHYP5BSPG0DPTADCJ","item":1,"priority":"LOW","data":1},"#
      + #"{"id":"01M7YFR55BHYP5BSPG0DPTADCJ","item":2,"priority":"LOW","data":2}]"#
    let other = "[{},\(record.dropFirst())"
    let ids = try scratch.store(record, other)
    try run(address).expect("")
    #expect(
      try scratch.lines(of: "requests").sorted() == [
        "200 \(ids[0]) \(record)", "200 \(ids[1]) \(other)",
      ])
  }

  @Test("the status counts even if the body breaks off or is not gzip")
  func broken() throws {
    try scratch.store(#"{"answers":[206]}"#, #"{"answers":[207]}"#, #"{"answers":[422]}"#)
    try run(address).expect("", errors: nil, status: 1)
    #expect(
      try scratch.lines(of: "requests").map { $0.prefix(3) }.sorted() == ["206", "207", "422"])
    #expect(try scratch.buried() == [#"{"answers":[422]}"#: "422: "])
  }

  @Test("only the beginning of an endless response is read")
  func endless() throws {
    try scratch.store(#"{"answers":[413]}"#)
    try run(address).expect("", errors: nil, status: 1)
    let reason = try #require(try scratch.buried().values.first)
    #expect(reason.hasPrefix("413: because of 413 and so on"))
    #expect(reason.count <= 1000)
  }

  @Test("SIGTERM ends the sink at once, even while it waits for Retry-After")
  func terminated() throws {
    try scratch.store(#"{"answers":[429]}"#)
    try scratch.sh("pipe batch -n 1 --hold 1h > line").expect("")
    let command = "exec '\(Repository.path)/examples/sinks/http' '\(address)' < line"
    let sink = try scratch.start(["bash", "-c", command], sinkEnvironment)
    try wait(until: { try scratch.lines(of: "requests").count == 1 })
    sink.signal(SIGTERM)
    #expect(sink.finish().ending == .killed(SIGTERM))
  }

  @Test("the token is sent with each request")
  func token() throws {
    try scratch.store("1")
    try run(address + "token", ["HTTP_TOKEN": "wrong"]).expect("", errors: nil, status: 69)
    try run(address + "token", ["HTTP_TOKEN": "secret"]).expect("")
  }
}
