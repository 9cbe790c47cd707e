import Foundation
import Glibc
import Testing

@Suite("examples/sources/http", .needs("curl"))
struct HTTPSourceTests {
  private let scratch: Scratch
  private let script = Scratch.example("sources/http")

  init() throws { scratch = try Scratch() }

  @Test("many lines go in few requests, and each has its receipt when it is in the queue")
  func posts() throws {
    let gateway = try Gateway(scratch, "--access-log")
    let run = try scratch.sh("seq 2345 | \(script) \(gateway.address)/ingest").expect(errors: "")
    #expect(run.receipts.count == 2345)
    try scratch.expectEach(to: 2345)
    let log = gateway.stop().errors.split(separator: "\n").filter { $0.contains("/ingest") }
    #expect(log.count == 5)
  }

  @Test("a body that is too long is halved; what is rejected is told with its line of the input")
  func rejects() throws {
    let gateway = try Gateway(scratch, "--max-body", "2KiB")
    let line = "(seq 700; echo '{\"a'; printf '%03000d\\n' 1 | tr 0 1; printf 701)"
    let run = try scratch.sh("set -o pipefail; \(line) | \(script) \(gateway.address)/ingest")
    run.expect(
      nil,
      errors: """
        {"file":"stdin","line":701,"byte":4,"error":"unexpected end","input":"{\\"a"}
        {"file":"stdin","line":702,"detail":"too long"}

        """, status: 65)
    #expect(run.receipts.count == 701)
    try scratch.expectEach(to: 701)
  }

  @Test("a gateway whose queue is full is asked again until there is room, and nothing is doubled")
  func full() throws {
    try scratch.prepare("init", "--max-items", "100")
    let gateway = try Gateway(scratch)
    let source = try start("\(gateway.address)/ingest", input: 300)
    // Its first hundred are in; it waits with the second.
    let ids = (1...100).map { _ in source.line() }
    #expect(!ids.contains(nil))
    let refused = "pipe stats --prometheus | grep -q '^ingestion_errors_total [1-9]'"
    try wait(until: { try scratch.sh(refused).ending == .exited(0) })
    // Into a file: from a pipe nothing is acknowledged before somebody has read it.
    let line = "exec pipe consume --follow -n 300 --size 1 > taken"
    let reader = try scratch.start(["sh", "-c", line])
    source.finish().expect(errors: "")
    reader.finish().expect("")
    #expect(try scratch.lines(of: "taken") == (1...300).map { "\($0)" })
  }

  @Test("without a gateway it waits for one; after SOURCE_WAIT the status is 69")
  func away() throws {
    let gateway = try Gateway(scratch)
    gateway.stop().expect(errors: nil)
    let late = try scratch.sh(
      "echo 1 | \(script) \(gateway.address)/ingest", ["SOURCE_WAIT": "0"])
    #expect(late.ending == .exited(69), late.story)
    let source = try start("\(gateway.address)/ingest", input: 300)
    #expect(source.complaint()?.contains("Failed to connect") == true)
    let again = try scratch.start("serve", "--port", "\(gateway.port)")
    #expect(again.complaint() != nil)
    #expect(source.finish().receipts.count == 300)
    try scratch.expectEach(to: 300)
  }

  @Test("when an answer is lost the lines are sent again, and it says which may be stored twice")
  func unknown() throws {
    let gateway = try Gateway(scratch)
    let run = try throughLossy(gateway, [])
    #expect(run.receipts.count == 150 && run.ending == .exited(0), run.story)
    #expect(run.errors.contains("http: lines 1 to 100 may be stored twice\n"), run.story)
    #expect(try scratch.drained().count == 250)
  }

  @Test("with --key nothing is stored twice, also when an answer is lost, or all is sent again")
  func keyed() throws {
    let gateway = try Gateway(scratch)
    let first = try throughLossy(gateway, ["--key", "run-7"], "sed 's/.*/{\"n\":&}/'")
    #expect(first.receipts.count == 150 && first.ending == .exited(0), first.story)
    #expect(!first.errors.contains("twice"))
    let second = try scratch.sh(
      "seq 150 | sed 's/.*/{\"n\":&}/' | \(script) --key run-7 \(gateway.address)/ingest")
    #expect(second.receipts == first.receipts)
    #expect(try scratch.drained() == (1...150).map { "{\"n\":\($0)}" })
  }

  @Test("it lets the gateway see its token, and ends with 77 without")
  func token() throws {
    try scratch.write("secret-of-the-gateway\n", to: "token")
    let gateway = try Gateway(scratch, "--token-file", "token")
    let line = "echo 1 | \(script) \(gateway.address)/ingest"
    let stranger = try scratch.sh(line)
    #expect(stranger.ending == .exited(77), stranger.story)
    let known = try scratch.sh(line, ["HTTP_TOKEN": "secret-of-the-gateway"])
    #expect(known.receipts.count == 1, known.story)
  }

  private func start(_ address: String, input count: Int) throws -> Child {
    let child = try scratch.start([script, address], ["SOURCE_LINES": "100"])
    child.feed((1...count).map { "\($0)\n" }.joined())
    child.endInput()
    return child
  }

  /// 150 lines through a proxy that hands the first request on and keeps its answer for itself.
  private func throughLossy(
    _ gateway: Gateway, _ options: [String], _ filter: String = "cat"
  ) throws -> Run {
    let program = """
      import http.client, http.server, sys
      class Proxy(http.server.BaseHTTPRequestHandler):
        count = 0
        def log_message(self, *all): pass
        def do_POST(self):
          body = self.rfile.read(int(self.headers["Content-Length"]))
          there = http.client.HTTPConnection("127.0.0.1", \(gateway.port))
          there.request("POST", self.path, body, dict(self.headers))
          answer = there.getresponse()
          text = answer.read()
          Proxy.count += 1
          if Proxy.count == 1: return
          self.send_response(answer.status)
          self.send_header("Content-Length", str(len(text)))
          self.end_headers()
          self.wfile.write(text)
      server = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
      print(server.server_port, flush=True)
      server.serve_forever()
      """
    let proxy = try scratch.start(["python3", "-c", program])
    let port = proxy.line() ?? ""
    let all = ([script] + options + ["http://127.0.0.1:\(port)/ingest"]).joined(separator: " ")
    defer { proxy.signal(SIGKILL) }
    return try scratch.sh("seq 150 | \(filter) | \(all)", ["SOURCE_LINES": "100"])
  }
}
