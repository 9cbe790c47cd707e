internal import NIOHTTP1

extension HTTPRequestHead {
  /// The head without blanks after header values, which are not part of them (RFC 9112, 5.1).
  var trimmed: HTTPRequestHead {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    guard headers.contains(where: { $0.value.utf8.last.map(isBlank) ?? false }) else { return self }
    var head = self
    head.headers = HTTPHeaders(
      headers.map { name, value in
        let count = value.utf8.reversed().prefix(while: isBlank).count
        return (name, String(decoding: value.utf8.dropLast(count), as: UTF8.self))
      })
    return head
  }

  /// A refused request's body of at most this many bytes is read to its end before the response, so
  /// that the connection stays usable.
  static let shortBody = 1 << 16

  /// Whether the client may be about to send a body longer than that, or waits for permission to
  /// send one.
  var hasLongBody: Bool {
    headers.contains(name: "expect") || (contentLength ?? 0) > HTTPRequestHead.shortBody
  }

  /// The declared length of the body; nil: none.
  var contentLength: Int? { headers.first(name: "content-length").flatMap { Int($0) } }

  /// Whether the client waits for 100 Continue before it sends the body.
  var expectsContinue: Bool { version != .http1_0 && headers.contains(name: "expect") }

  /// Whether the decoder treats the bytes that follow as another protocol.
  var stopsDecoder: Bool {
    method == .CONNECT
      || headers.contains(name: "upgrade")
        && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
  }
}
