import Foundation
import TestSupport
import Testing

/// Requests that a proxy in front could end elsewhere than the gateway does: the bytes after them
/// must never be taken for a request.
@Suite("Request smuggling")
struct HostileFramingTests {
  private static let body = #"{"a":1}"#
  private static let chunks = "7\r\n\(body)\r\n0\r\n\r\n"

  private static func post(_ headers: String, _ body: String, _ version: String = "1.1") -> String {
    "POST /ingest HTTP/\(version)\r\nHost: localhost\r\n\(headers)\r\n\r\n\(body)"
  }

  private static func chunked(_ body: String) -> String {
    post("Transfer-Encoding: chunked", body)
  }

  private static let headers: [(String, Int)] = [
    ("Content-Length: 7\r\nTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding: chunked\r\nContent-Length: 7", 400),
    ("Transfer-Encoding: chunked, identity", 400), ("Transfer-Encoding: chunked, chunked", 400),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
    ("Transfer-Encoding: identity", 501), ("Transfer-Encoding: gzip, chunked", 501),
    ("Transfer-Encoding: xchunked", 501), ("Transfer-Encoding: \"chunked\"", 501),
    ("Transfer-Encoding: chunked;q=1", 501), ("Transfer-Encoding:", 501),
    ("Transfer-Encoding:\r\nContent-Length: 7", 501), ("Transfer-Encoding: \u{b}chunked", 400),
    ("Transfer-Encoding : chunked", 400), ("Transfer-Encoding:\r\n chunked", 400),
    ("Transfer-Encoding\r\n: chunked", 400), ("Transfer-Encoding: chunked\nX: y", 400),
    ("X: y\rTransfer-Encoding: chunked", 400),
  ]

  private static let lengths: [(String, Int)] = [
    ("Content-Length: 7\r\nContent-Length: 8", 400),
    ("Content-Length: 7\r\nContent-Length: 7", 400), ("Content-Length: 7, 7", 400),
    ("Content-Length: +7", 400), ("Content-Length: -1", 400), ("Content-Length: 0x7", 400),
    ("Content-Length:", 400), ("Content-Length: 7 7", 400), ("Content-Length : 7", 400),
    ("Content-Length: 99999999999999999999999", 400),
    ("Content-Length: 9223372036854775808", 413), ("Content-Length: 18446744073709551615", 413),
  ]

  private static let sizes: [String] = [
    "-7\r\n\(body)", "0x7\r\n\(body)", "+7\r\n\(body)", " 7\r\n\(body)", "7 \r\n\(body)",
    "\r\n\(body)", "7\n\(body)", "7\r\n\(body)\n0", "7\r\n\(body)0", "7;\r\n\(body)",
    "7;a\n\(body)", "7;a\rb\r\n\(body)", "10000000000000007\r\n\(body)", "g\r\n\(body)",
    "7\r\n\(body)\r\n0\r\nContent-Length: 50", "7\r\n\(body)\r\n0\r\nX y",
    "7\r\n\(body)\r\n0\r\nTransfer-Encoding: chunked", "7\r\n\(body)\r\n0\r\n: b",
  ]

  private static var refused: [(request: String, status: Int)] {
    var all = headers.map { (post($0.0, chunks), $0.1) }
    all += lengths.map { (post($0.0, body), $0.1) }
    all += sizes.map { (chunked($0 + "\r\n0\r\n\r\n"), 400) }
    for kept in ["", "\r\nConnection: keep-alive"] {
      all.append((post("Transfer-Encoding: chunked" + kept, chunks, "1.0"), 400))
    }
    return all
  }

  @Test("a request with two possible ends is refused, and the bytes after it are not a request")
  func refuses() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    for (request, status) in HostileFramingTests.refused {
      let connection = try Connection(gateway.port)
      connection.send(request + Gateway.request("POST", "/log", body: #""smuggled""#))
      let replies = try connection.replies()
      #expect(
        replies.map(\.status) == [status] && connection.isOver,
        "\(request.debugDescription) \(replies)")
      #expect(replies.first?.headers["connection"] == "close", "\(request.debugDescription)")
      #expect(try replies.first?.detail() != nil, "\(request.debugDescription)")
    }
    #expect(try gateway.get("/health").status == 200)
    try scratch.pipe("list").expect("")
  }

  static let taken = [
    ("Content-Length: 007", body), ("Transfer-Encoding: chunked", chunks),
    ("Transfer-Encoding:\tCHUNKED", chunks),
    ("Transfer-Encoding: chunked", "007\r\n\(body)\r\n000\r\n\r\n"),
    (
      "Transfer-Encoding: chunked",
      "1\r\n{\r\n6;a=b;c=\"d;e\"\r\n\(body.dropFirst())\r\n0;x\r\n\r\n"
    ),
    ("Transfer-Encoding: chunked", "7\r\n\(body)\r\n0\r\nX-A: b\r\nX-B:\r\n\r\n"),
    (
      "Transfer-Encoding: chunked",
      "7\r\n\(body)\r\n0\r\nConnection: upgrade\r\nUpgrade: x\r\nHost: evil\r\n\r\n"
    ),
  ]

  @Test("a request with a single end is stored, and the bytes after it are the next request")
  func takes() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    for (header, body) in HostileFramingTests.taken {
      let connection = try Connection(gateway.port)
      connection.send(HostileFramingTests.post(header, body) + Gateway.request("GET", "/nothing"))
      #expect(
        try [connection.reply(), connection.reply()].map(\.status) == [202, 404],
        "\(header) \(body)")
    }
    let stored = HostileFramingTests.taken.map { _ in HostileFramingTests.body + "\n" }
    try scratch.pipe("consume").expect(stored.joined())
  }

  @Test("bytes after a body longer than announced are not a request unless they look like one")
  func longer() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let connection = try Connection(gateway.port)
    connection.send(
      HostileFramingTests.post("Content-Length: 7", HostileFramingTests.body + "}\r\n\r\n"))
    #expect(try connection.replies().map(\.status) == [202, 400])
    #expect(try gateway.get("/health").status == 200)
  }

  @Test("a body shorter than announced is refused as such and not stored")
  func shorter() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let cut = [
      HostileFramingTests.post("Content-Length: 8", HostileFramingTests.body),
      HostileFramingTests.chunked("7\r\n{\"a"),
      HostileFramingTests.chunked("7\r\n{\"a\":1}\r\n0\r\n"),
      "POST /ingest HTTP/1.1\r\nHost: loc", "POST",
    ]
    for request in cut {
      let connection = try Connection(gateway.port)
      connection.send(request)
      connection.endSending()
      let replies = try connection.replies()
      #expect(try replies.map { try $0.detail() } == ["the request is incomplete"], "\(request)")
      #expect(replies.map(\.status) == [400])
    }
    try scratch.pipe("list").expect("")
  }
}
