import Foundation
import TestSupport
import Testing

/// Clients that break the rules of the conversation.
@Suite("Misbehaving clients")
struct HostileClientTests {
  private static func head(_ length: Int, _ more: String = "") -> String {
    "POST /log HTTP/1.1\r\nHost: localhost\r\n\(more)Content-Length: \(length)\r\n\r\n"
  }

  @Test("a client that sends too much can read the refusal while it is still sending")
  func readsRefusal() throws {
    let gateway = try Gateway(try Scratch())
    let much = [UInt8](repeating: 0x20, count: 8 << 20)
    let size = String(much.count, radix: 16)
    for request in [
      HostileClientTests.head(much.count),
      "POST /log HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n",
    ] {
      let connection = try Connection(gateway.port)
      connection.send(request)
      connection.send(much)
      let reply = try connection.reply()
      #expect(try reply.status == 413 && reply.detail() == "the body is longer than 1048576 bytes")
      connection.endSending()
      #expect(connection.rest().isEmpty && connection.isOver)
    }
    for start in ["GET / HTTP/1.1\r\nX: ", "GET / HTTP/1.1\r\nX: y", "GET /?"] {
      let connection = try Connection(gateway.port)
      connection.send(Array(start.utf8) + (start.hasSuffix(" ") ? much : much.map { $0 + 0x41 }))
      #expect(try connection.reply().status == 431, "\(start)")
    }
  }

  @Test("a body of the maximum length is stored, and one byte more is refused")
  func longest() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch, "--max-body", "10KiB")
    let text = "\"" + String(repeating: "a", count: 10238) + "\""
    #expect(try gateway.post("/log", text).status == 202)
    #expect(try gateway.post("/log", text + " ").status == 413)
    let connection = try Connection(gateway.port)
    let chunks = "2800\r\n\(text)\r\n1\r\n \r\n0\r\n\r\n"
    connection.send(
      "POST /log HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    #expect(try connection.replies().map(\.status) == [413])
    try scratch.pipe("consume").expect(text + "\n")
  }

  @Test("a client that expects 100-continue gets it after all earlier responses")
  func invites() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let connection = try Connection(gateway.port)
    let posts = (1...20).map { Gateway.request("POST", "/log", body: "\($0)") }
    connection.send(posts.joined() + HostileClientTests.head(2, "Expect: 100-Continue\r\n"))
    #expect(
      try (1...21).map { _ in try connection.reply().status } == posts.map { _ in 202 } + [100])
    connection.send("21")
    #expect(try connection.reply().status == 202)
    let listed = try scratch.pipe("list").expect().objects()
    #expect(listed.map { $0["data"] as? Int } == Array(1...21))
  }

  @Test("an expectation that is too large or unknown is refused at once")
  func refusesExpectations() throws {
    let gateway = try Gateway(try Scratch())
    for (expectation, length, status) in [
      ("100-continue", 2_000_000, 413), ("200-ok", 2, 417), ("100-continue, 200-ok", 2, 417),
      ("", 2, 417),
    ] {
      let connection = try Connection(gateway.port)
      connection.send(HostileClientTests.head(length, "Expect: \(expectation)\r\n"))
      #expect(try connection.replies().map(\.status) == [status])
    }
    let old = try Connection(gateway.port)
    let head = HostileClientTests.head(1, "Expect: 100-continue\r\n")
    old.send(head.replacingOccurrences(of: "HTTP/1.1", with: "HTTP/1.0") + "1")
    #expect(try old.replies().map(\.status) == [202], "HTTP/1.0 knows no 100")
  }

  @Test("a half-closed client still gets its responses")
  func halfClosed() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let connection = try Connection(gateway.port)
    let posts = (1...50).map { Gateway.request("POST", "/log", body: "\($0)") }
    connection.send(posts.joined() + Gateway.request("GET", "/metrics"))
    connection.endSending()
    let replies = try connection.replies()
    #expect(replies.map(\.status) == posts.map { _ in 202 } + [200] && connection.isOver)
    #expect(replies.last?.headers["connection"] == "close")
    let idle = try Connection(gateway.port)
    idle.endSending()
    #expect(idle.rest().isEmpty && idle.isOver)
  }

  @Test("a client that leaves at any byte of a request stores nothing, and others are served")
  func goesAway() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let requests = [
      Gateway.request("POST", "/log", body: "[1,2]"),
      "POST /log HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n",
    ]
    for request in requests.map({ Array($0.utf8) }) {
      for count in 0..<request.count {
        let connection = try Connection(gateway.port)
        connection.send(Array(request.prefix(count)))
        if count % 2 == 0 { connection.abort() }
      }
    }
    #expect(try gateway.get("/health").status == 200)
    try scratch.pipe("list").expect("")
    let ending = gateway.stop().ending
    #expect(ending == .exited(0))
  }

  @Test("a request may arrive byte by byte")
  func bytewise() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let connection = try Connection(gateway.port)
    for byte in Gateway.request("POST", "/log", body: "[1]").utf8 { connection.send([byte]) }
    #expect(try connection.reply().status == 202)
    let chunks = "1;a\r\n[\r\n2\r\n2]\r\n0\r\nX: y\r\n\r\n"
    let head = "POST /log HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for byte in (head + chunks).utf8 { connection.send([byte]) }
    #expect(try connection.reply().status == 202)
    try scratch.pipe("consume").expect("[1]\n[2]\n")
  }

  @Test("unread responses do not pile up, and others are served")
  func neverReads() throws {
    let gateway = try Gateway(try Scratch())
    let asked = Array(String(repeating: Gateway.request("GET", "/metrics"), count: 1000).utf8)
    let before = try gateway.memory()
    let connections = try (0..<50).map { _ in try Connection(gateway.port) }
    // As much as gateway and kernel take: the gateway stops reading long before the end.
    for connection in connections { connection.sendWhatIsTaken(asked) }
    for _ in 0..<20 { #expect(try gateway.get("/health").status == 200) }
    #expect(try gateway.get("/metrics").body.utf8.count > 2000, "an answer is large")
    #expect(try gateway.memory() - before < 50 << 20)
    #expect(try connections[0].reply().status == 200)
  }
}
