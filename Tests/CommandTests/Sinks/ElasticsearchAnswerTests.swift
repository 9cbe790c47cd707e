import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/sinks/elasticsearch and odd servers", .needs("python3", "jq"))
struct ElasticsearchAnswerTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Responds to each request with a status and a body; `limited` accepts 200 bytes of documents.
  private static let program = #"""
    import json, os, socket, struct, sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    class Handler(BaseHTTPRequestHandler):
      def log_message(self, *rest): pass
      def do_GET(self): open("redirected", "w")
      def do_POST(self):
        count = int(self.headers["Content-Length"])
        if sys.argv[2] == "unread" and count > 200:
          self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
          return os.close(self.connection.detach())
        documents = self.rfile.read(count).split(b"\n")[1::2]
        status, body = int(sys.argv[1]), sys.argv[2]
        if body == "deep": body = "[" * 100000
        if body in ("limited", "unread"):
          status = 413 if count > 200 else 200
          body = json.dumps({"items": [{"create": {"status": 201}}] * len(documents)})
        self.send_response(status)
        if status == 302: self.send_header("Location", body)
        self.end_headers()
        self.wfile.write(body.encode())
        if status == 200: open("documents", "ab").writelines(line + b"\n" for line in documents)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
    """#

  private func run(_ status: Int, _ body: String) throws -> Run {
    let program = ["python3", "-c", ElasticsearchAnswerTests.program, "\(status)", body]
    let child = try scratch.start(program)
    defer { child.signal(SIGKILL) }
    let address = "http://elastic:secret@127.0.0.1:\(try #require(child.line()))"
    return try scratch.sh(
      Scratch.sink("elasticsearch"),
      sinkEnvironment.merging(["ELASTICSEARCH_URL": address]) { $1 })
  }

  @Test(
    "a server that does not respond like Elasticsearch stops the sink, no attempt counted",
    arguments: [
      #"{"error":"odd"}"#, "[]", #"{"items":[{"index":{"status":201}}]}"#, "<html>", "deep", "7",
      #"{"items":[{"create":{"status":400,"error":"odd"}}]}"#, #"{"items":[]}"#,
    ])
  func odd(body: String) throws {
    try scratch.store("{}")
    let run = try run(200, body).expect("", errors: nil, status: 69)
    #expect(run.errors.contains("is this Elasticsearch?"), run.story)
    #expect(!run.errors.contains("Traceback"), run.story)
    #expect(try scratch.attempts() == ["{} 1"])
  }

  @Test("the sink does not follow a redirect with its password")
  func redirected() throws {
    try scratch.store("{}")
    let run = try run(302, "/elsewhere").expect("", errors: nil, status: 69)
    #expect(run.errors.contains("elasticsearch: 302 /elsewhere"), run.story)
    #expect(try scratch.sh("test -e redirected").ending == .exited(1))
  }

  @Test(
    "a batch that is too large is sent in halves, and only a document too large alone is buried")
  func tooLarge() throws {
    let long = #"{"x":"\#(String(repeating: "x", count: 300))"}"#
    try scratch.store(#"{"n":1}"#, #"{"n":2}"#, long, #"{"n":4}"#, #"{"n":5}"#)
    try run(200, "limited").expect("", errors: nil, status: 1)
    #expect(try scratch.lines(of: "documents").sorted() == [1, 2, 4, 5].map { #"{"n":\#($0)}"# })
    #expect(try scratch.buried()[long]?.hasPrefix("413") == true)
  }

  @Test("a request that is cut off is sent in halves, since it may have been too large to read")
  func cutOff() throws {
    try scratch.store(#"{"n":1}"#, #"{"n":2}"#, #"{"n":3}"#, #"{"n":4}"#, #"{"n":5}"#)
    try run(200, "unread").expect("")
    #expect(try scratch.lines(of: "documents").sorted() == (1...5).map { #"{"n":\#($0)}"# })
  }
}
