import Foundation
import TestSupport
import Testing

/// Requests that are odd, or not HTTP/1.1 at all.
@Suite("Odd requests")
struct HostileRequestTests {
  private static func get(_ target: String, _ headers: String = "Host: localhost") -> String {
    "GET \(target) HTTP/1.1\r\n\(headers)\(headers.isEmpty ? "" : "\r\n")\r\n"
  }

  /// Requests that are refused before their target is looked at; bytes are given as Latin-1.
  static let refused: [(String, Int)] = [
    // Headers.
    (get("/health", "Host: localhost\r\nX: a\r\n b"), 400),
    (get("/health", " Host: localhost"), 400),
    (get("/health", "Host: localhost\r\nX: a\r\n\tb"), 400), (get("/health", "Host: a\nX: y"), 400),
    (get("/health", "Host: a\rX: y"), 400), (get("/health", "Host: a\r"), 400),
    (get("/health", "Host: a\r\nX: a\0b"), 400), (get("/health", "Host: a\r\nX\0: b"), 400),
    (get("/health", "Host: a\r\nX\u{e9}: b"), 400), (get("/health", "Host: a\r\nX(y: b"), 400),
    (get("/health", "Host: a\r\nX : b"), 400), (get("/health", "Host: a\r\n: b"), 400),
    (get("/health", "Host: a\r\nX: \u{7f}"), 400), (get("/health", "Host: a\r\nFoo"), 400),
    // Host, and repeated headers that decide something.
    (get("/health", ""), 400), (get("/health", "Host:"), 400),
    (get("/health", "Host: localhost\r\nHost: localhost"), 400), (get("/health", "Host: a b"), 400),
    (get("/health", "Host: localhost/x"), 400), (get("/health", "Host: a@localhost"), 400),
    (get("/health", "Host: localhost:evil.com"), 400), (get("/health", "Host: [::1"), 400),
    (get("/health", "Host: [::1]evil.com"), 400), (get("/health", "Host: [evil.com]"), 400),
    (get("/health", "Host: a,b"), 400), (get("/health", "Host: localhost:"), 200),
    (get("/health", "Host: [::1]:80"), 200),
    (get("/health", "Host: under_score.Example-1:8000"), 200),
    (get("/health", "Host: a\r\nOrigin: http://a\r\nOrigin: http://b"), 400),
    (get("/health", "Host: a\r\nContent-Type: a/b\r\nContent-Type: application/json"), 400),
    (get("/health", "Host: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b"), 400),
    (get("/health", "Host: a\r\nIdempotency-Key: a\r\nIdempotency-Key: b"), 400),
    // The target.
    (get("http://evil/health"), 400), (get("http://localhost:1/health"), 400),
    (get("http://localhost/health"), 200), (get("HTTP://LOCALHOST/health?x=1"), 200),
    (get("http://localhost/"), 200), (get("?"), 400), (get("health"), 400), (get(""), 400),
    (get("/\u{ff}\u{fe}"), 400), (get("/a\u{1}b"), 400), (get("/a\tb"), 400), (get("/a b"), 400),
    (get("*"), 404), ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    ("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
    ("CONNECT /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
    (get("/status/%2e%2e"), 404), (get("/status/../health"), 404), (get("//health"), 404),
    (get("/health/"), 200), (get("/health//"), 404), (get("/HEALTH"), 404), (get("/%68ealth"), 404),
    (get("/health?x=1&y=%00"), 200), (get("/health#x"), 404),
    // Other protocols and other versions.
    ("GET /health\r\n\r\n", 505), ("GET /health HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    ("GET /health HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET /health HTTP/3.0\r\n\r\n", 505),
    ("GET /health HTTP/1.1\nHost: localhost\n\n", 505),
    ("GET /health HTTP/1.1\rHost: a\r\n\r\n", 400),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505), ("GET /health http/1.1\r\nHost: a\r\n\r\n", 400),
    (
      "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}" + String(repeating: "\0", count: 507),
      400
    ),
    ("FOO /health HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("get /health HTTP/1.1\r\n\r\n", 400),
    (" GET /health HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("\0", 400), ("}\r\n\r\n", 400),
    ("\r\n\r\n" + get("/health"), 200), ("PUT /health HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ("TRACE /health HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    // Floods.
    (get("/" + String(repeating: "a", count: 100_000)), 431),
    (get("/health", "Host: a\r\nX: " + String(repeating: "a", count: 100_000)), 431),
    (get("/health", "Host: a" + String(repeating: "\r\nX: a", count: 10_000)), 431),
    (get("/health", "Host: a" + String(repeating: "\r\nX: a", count: 90)), 200),
    (
      "POST /log HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        + String(repeating: "X: y\r\n", count: 200) + "\r\n", 431
    ),
  ]

  @Test("an odd request gets an error that says why, or a response, and the next client is served")
  func answers() throws {
    let gateway = try Gateway(try Scratch())
    for (request, status) in HostileRequestTests.refused {
      let connection = try Connection(gateway.port)
      connection.send(request.unicodeScalars.map { UInt8($0.value) })
      let story: Comment = "\(request.prefix(200).debugDescription)"
      let reply = try connection.reply()
      #expect(reply.status == status, story)
      #expect(reply.headers["x-content-type-options"] == "nosniff", story)
      if status != 200 { #expect(try !reply.detail().isEmpty, story) }
      if ![200, 404, 405].contains(status) {
        #expect(connection.rest().isEmpty && connection.isOver, story)
      }
    }
    #expect(try gateway.get("/health").status == 200)
  }

  @Test("an HTTP/1.0 connection ends after the response unless it asks for keep-alive")
  func oldVersion() throws {
    let gateway = try Gateway(try Scratch())
    let connection = try Connection(gateway.port)
    connection.send(
      "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /health HTTP/1.0\r\n\r\n")
    let replies = try connection.replies()
    #expect(replies.map(\.status) == [200, 200] && connection.isOver)
    #expect(replies.map { $0.headers["connection"] } == ["keep-alive", "close"])
  }

  @Test("nothing is taken after a request with Connection: close")
  func close() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let connection = try Connection(gateway.port)
    let last = Gateway.request("POST", "/log", ["Connection: keep-alive, close"], body: "1")
    connection.send(last + Gateway.request("POST", "/log", body: "2"))
    #expect(try connection.replies().map(\.status) == [202])
    #expect(try gateway.get("/health").status == 200)
    try scratch.pipe("consume").expect("1\n")
  }

  @Test("an upgrade is ignored: the request is answered as usual and the connection closes")
  func upgrade() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    for name in ["websocket", "h2c"] {
      let connection = try Connection(gateway.port)
      let headers = ["Connection: keep-alive, Upgrade", "Upgrade: \(name)"]
      connection.send(Gateway.request("POST", "/log", headers, body: "\"\(name)\""))
      #expect(try connection.replies().map(\.status) == [202] && connection.isOver)
    }
    try scratch.pipe("consume").expect("\"websocket\"\n\"h2c\"\n")
  }
}
