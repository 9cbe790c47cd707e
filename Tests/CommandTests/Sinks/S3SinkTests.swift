import Foundation
import Glibc
import TestSupport
import Testing

@Suite(
  "examples/sinks/s3", .needs("curl", "jq"), .needsModule("moto.server", of: "moto[server]"))
struct S3SinkTests {
  private let scratch: Scratch
  private let server: S3Server
  private let script = Scratch.example("sinks/s3")

  init() throws {
    scratch = try Scratch()
    server = try S3Server(scratch)
  }

  @Test("a batch is one object with its items byte for byte, and names sort in their order")
  func object() throws {
    let first = try scratch.store(#"{"n": 1.50}"#, "\"é\"", #"{"ids":[7,8]}"#)
    // The locale must not matter: JSON is UTF-8.
    try run("--size 3", "logs day/1/", ["PYTHONIOENCODING": "latin-1"]).expect("")
    let lines = try server.objects()
    #expect(lines.count == 6)
    #expect(lines[0].hasPrefix("day/1/\(first[0])-3-") && lines[0].hasSuffix(".jsonl"), "\(lines)")
    #expect(lines[1] == #"{"id":"\#(first[0])","item":1,"data":{"n": 1.50}}"#)
    #expect(lines[2] == #"{"id":"\#(first[1])","item":1,"data":"é"}"#)
    #expect(lines[4].hasPrefix("day/1/\(first[2])-2-1-"), "\(lines)")
    #expect(lines[5] == #"{"id":"\#(first[2])","item":2,"data":8}"#)
  }

  @Test("the same items under another claim are the same object, and that is a success")
  func again() throws {
    try scratch.store("1", "2")
    try scratch.sh("pipe batch -n 1 --size 2 --hold 1h > line").expect("")
    let claims = "grep -o '{\"claim\":\"[^\"]*\"' line | sed 's/:/: /; s/$/}/'"
    let answer = try scratch.sh(claims).expect().output
    try scratch.sh("\(script) logs < line", server.environment).expect(answer)
    let other = #"sed 's/"claim":"[^"]*"/"claim":"01M7ZMFKM64VAE4F28Q13BE0XV"/' line"#
    try scratch.sh("\(other) | \(script) logs", server.environment).expect()
    #expect(try server.objects().count == 3)
    // Other items between the same first and last item are another object.
    let less = #"sed 's/"data":2/"data":3/' line"#
    try scratch.sh("\(less) | \(script) logs", server.environment).expect()
    #expect(try server.objects().count == 6)
  }

  @Test("a hanging server and a killed consumer lose none of 20,000 items")
  func crashes() throws {
    try scratch.store(1...10_000)
    let line = "pipe consume --follow --size 500 --stream -- \(script) logs"
    let consumer = try scratch.start(line: line, server.environment)
    try wait(until: { try scratch.unsettled() < 8_000 })
    server.pause()
    try scratch.store(10_001...20_000)
    try scratch.waitForClaim()
    consumer.signal(SIGKILL)
    consumer.reap()
    server.resume()
    try wait(until: {
      try run("--size 500").expect("", errors: nil)
      return try scratch.unsettled() == 0
    })
    let lines = try server.objects().filter { $0.hasPrefix("{") }
    let numbers = Set(lines.compactMap { Int($0.dropLast().split(separator: ":").last ?? "") })
    #expect(numbers == Set(1...20_000))
  }

  @Test(
    "wrong settings stop the sink with the server's words, no attempt counted",
    arguments: [
      ("logs", ["AWS_SECRET_ACCESS_KEY": "wrong"], "s3: 403 SignatureDoesNotMatch: "),
      ("nothing", [:], "s3: 404 NoSuchBucket: The specified bucket does not exist"),
      (
        "logs", ["AWS_ENDPOINT_URL": "http://127.0.0.1:1", "SINK_WAIT": "0"],
        "Couldn't connect to server; trying again for 0 s\n"
      ), ("logs", ["AWS_ENDPOINT_URL": "127.0.0.1:9000"], "AWS_ENDPOINT_URL: not an address"),
      ("logs", ["SINK_WAIT": "1m"], "s3: SINK_WAIT=1m: not a number of seconds"),
      ("logs", ["AWS_ACCESS_KEY_ID": ""], "s3: AWS_ACCESS_KEY_ID and AWS_SECRET"),
      ("", [:], "s3: no bucket given"),
    ])
  func settings(bucket: String, more: [String: String], words: String) throws {
    try scratch.store("1")
    let run = try run("", bucket, more)
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.contains(words), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }

  /// Some proxies accept at most a million bytes; this one accepts 200. It has a login page, too.
  private func proxy() throws -> (Child, [String: String]) {
    let program = """
      from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
      class Handler(BaseHTTPRequestHandler):
        def log_message(self, *rest): pass
        def do_PUT(self):
          body = self.rfile.read(int(self.headers["Content-Length"]))
          self.send_response(413 if len(body) > 200 else 200)
          tag = 'W/"1"' if "weak" in self.path else '"1"'
          if "login" not in self.path: self.send_header("ETag", tag)
          self.end_headers()
          if "page" in self.path: self.wfile.write(b"<html>")
          if len(body) <= 200: open("objects", "ab").write(body)
      server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
      print(server.server_port, flush=True)
      server.serve_forever()
      """
    let child = try scratch.start(["python3", "-c", program])
    let port = try #require(child.line())
    return (child, ["AWS_ENDPOINT_URL": "http://127.0.0.1:\(port)"])
  }

  @Test(
    "a batch that is too large becomes several objects, and only an item too large alone is buried")
  func tooLarge() throws {
    let (proxy, place) = try proxy()
    defer { proxy.signal(SIGKILL) }
    let long = "\"\(String(repeating: "x", count: 300))\""
    try scratch.store("1", "2", long, "4", "5")
    try run("--size 10", "logs", place).expect("", errors: nil, status: 1)
    try scratch.sh("jq .data objects | sort").expect("1\n2\n4\n5\n")
    try scratch.sh("pipe dead | jq -r '(.data | length), .reason'").expect("300\n413 \n")
  }

  @Test(
    "a page that comes with status 200 is not taken for a stored object",
    arguments: [("login", "no ETag"), ("weak", "a page"), ("page", "a page")])
  func page(place: String, words: String) throws {
    let (proxy, server) = try proxy()
    defer { proxy.signal(SIGKILL) }
    try scratch.store("1")
    let run = try run("", place, server).expect("", errors: nil, status: 69)
    #expect(run.errors.contains("\(words) in the answer: is this S3?"), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }

  @Test("without --stream the sink stops and loses nothing")
  func mode() throws {
    try scratch.store("1")
    let run = try scratch.sh("pipe consume --envelope -- \(script) logs", server.environment)
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.hasPrefix("s3: run it with --stream\n"), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }

  private func run(
    _ options: String, _ place: String = "logs", _ more: [String: String] = [:]
  ) throws -> Run {
    try scratch.sh(
      "pipe consume \(options) --stream -- \(script) \(place)",
      server.environment.merging(more) { $1 })
  }
}
