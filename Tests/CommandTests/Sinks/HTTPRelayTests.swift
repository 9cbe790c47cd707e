import Foundation
import Glibc
import TestSupport
import Testing

@Suite(
  "examples/sinks/http to another gateway", .needs("jq", "python3"),
  .needsModule("requests", of: "requests"))
struct HTTPRelayTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  private func relay(to gateway: Gateway, _ more: [String: String] = [:]) throws -> Run {
    try scratch.sh(
      "\(Scratch.sink("http", "--size 20 --stream")) \(gateway.address)/enqueue",
      sinkEnvironment.merging(more) { $1 })
  }

  /// Id, lane and data of each entry, as consumers get them.
  private func entries(in queue: String) throws -> [String] {
    try scratch.sh(
      "pipe list -q \(queue) --state ready | jq -c '[.id, .priority, .data // .ids]' | sort -k2,2 -t, -s"
    ).expect().lines
  }

  @Test("records keep their bytes, ids, lanes and order from one gateway to the next")
  func same() throws {
    let first = try Gateway(scratch)
    let second = try Gateway(scratch, "-q", "second")
    let lines = (1...100).map { number in
      #"{"n":\#(number),"x":1.50,"é":"\u0000","priority":"\#(["HIGH", "MEDIUM", "LOW"][number % 3])"}"#
    }
    let posted = try first.ask(
      "POST", "/ingest", ["Content-Type: application/x-ndjson"], body: lines.joined(separator: "\n")
    )
    #expect(posted.status == 202)
    for value in [#""text""#, "null", "[1, 2]"] {
      #expect(try first.post("/log", value).status == 202)
    }
    // This lane is not in its data.
    let moved = try first.post("/log", #"{"priority":"LOW"}"#).receipt()
    try scratch.prepare("change", moved, "--priority", "HIGH")
    let before = try scratch.sh("pipe list | jq -r .id").expect().lines
    let listed = try entries(in: "queue")
    #expect(listed.count == 104)
    try scratch.sh("cp -r queue again; cp -r queue copy").expect("")
    try relay(to: second).expect("")
    #expect(try entries(in: "second") == listed)
    #expect(try Set(before) == Set(scratch.sh("pipe list -q second | jq -r .id").expect().lines))
    try relay(to: second, ["PIPE_QUEUE": scratch.path("again")]).expect("")
    #expect(try entries(in: "second") == listed)
    let bytes = try scratch.sh("pipe consume -q copy").expect().output
    try scratch.sh("pipe consume -q second").expect(bytes)
  }

  @Test("items of an id request are entries of their own, each once")
  func requests() throws {
    let ids = try scratch.store(#"{"ids":[7,8,7],"priority":"HIGH"}"#, #"{"ids":[9]}"#)
    try scratch.sh("cp -r queue again").expect("")
    let gateway = try Gateway(scratch, "-q", "second")
    try relay(to: gateway).expect("")
    try relay(to: gateway, ["PIPE_QUEUE": scratch.path("again")]).expect("")
    let rows = try entries(in: "second")
    #expect(rows.count == 4)
    #expect(
      rows.contains(#"["\#(ids[0])","HIGH",7]"#) && rows.contains(#"["\#(ids[1])","MEDIUM",9]"#))
    #expect(
      rows.allSatisfy { $0.dropFirst(2).prefix(10) == ids[0].prefix(10) || $0.contains(ids[1]) })
    try scratch.sh("pipe consume -q second").expect("7\n8\n7\n9\n")
  }

  @Test("requests that are too long are split, and only an entry that is too long alone is buried")
  func long() throws {
    let gateway = try Gateway(scratch, "-q", "second", "--max-body", "1KiB")
    let long = "\"\(String(repeating: "x", count: 1100))\""
    try scratch.store(count: 30)
    try scratch.store(long)
    try scratch.store(31...40)
    try relay(to: gateway).expect("", errors: nil, status: 1)
    let numbers = Array(0...29) + Array(31...40)
    try scratch.sh("pipe consume -q second").expect(numbers.map { "\($0)\n" }.joined())
    #expect(try scratch.buried()[long]?.hasPrefix("413: ") == true)
  }

  @Test("the sink waits for a full gateway, sends its token, and stops at another server")
  func away() throws {
    try scratch.store(count: 3)
    try scratch.prepare("init", "-q", "second", "--max-items", "1")
    try scratch.sh("umask 077; echo a-token-of-some-length > token").expect("")
    let gateway = try Gateway(scratch, "-q", "second", "--token-file", "token")
    let wrong = try relay(to: gateway).expect("", errors: nil, status: 69)
    #expect(wrong.errors.contains("http: 401: "), wrong.story)
    let token = ["HTTP_TOKEN": "a-token-of-some-length"]
    let full = try relay(to: gateway, token.merging(["SINK_WAIT": "0.1"]) { $1 })
    full.expect("", errors: nil, status: 69)
    #expect(full.errors.contains("http: 503: "), full.story)
    gateway.stop().expect("", errors: nil)
    try scratch.prepare("init", "-q", "second", "--max-items", "3")
    let roomy = try Gateway(scratch, "-q", "second", "--token-file", "token")
    try relay(to: roomy, token).expect("")
    try scratch.sh("pipe consume -q second").expect("0\n1\n2\n")
    let program = """
      from http.server import BaseHTTPRequestHandler, HTTPServer
      class Handler(BaseHTTPRequestHandler):
        def log_message(self, *rest): pass
        def do_POST(self):
          self.rfile.read(int(self.headers["Content-Length"]))
          self.send_response(200)
          self.end_headers()
      server = HTTPServer(("127.0.0.1", 0), Handler)
      print(server.server_port, flush=True)
      server.handle_request()
      """
    try scratch.store("4")
    let other = try scratch.start(["python3", "-c", program])
    let address = "http://127.0.0.1:\(try #require(other.line()))/enqueue"
    let run = try scratch.sh("\(Scratch.sink("http")) \(address)", sinkEnvironment)
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.contains("no answer of a gateway: 200"), run.story)
    #expect(try scratch.attempts() == ["4 1"])
  }
}
