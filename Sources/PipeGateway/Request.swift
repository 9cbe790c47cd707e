internal import NIOHTTP1

/// A request as handlers get it.
package struct Request: Sendable {
  package let method: String
  /// The path as received, without the query and without a slash at its end.
  package let path: String
  /// Empty until the body is read.
  package internal(set) var body: [UInt8] = []
  /// The client's address, without its port.
  package let client: String
  private let headers: HTTPHeaders
  /// Names of the query, as received.
  private let query: [Substring]

  init(_ head: HTTPRequestHead, client: String) {
    method = head.method.rawValue
    let target = Target(head.uri)
    path = Request.withoutSlash(target?.path ?? head.uri)
    let fields = head.uri.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
    query = fields.split(separator: "&").map { $0.prefix { $0 != "=" } }
    headers = head.headers
    self.client = client
  }

  private static func withoutSlash(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") && !path.hasSuffix("//") ? String(path.dropLast()) : path
  }

  /// Whether the query has this name, with or without a value.
  package func asks(_ name: String) -> Bool { query.contains { $0 == name } }

  /// The first header of this name, in any case.
  package func header(_ name: String) -> String? { headers.first(name: name) }
}

/// A request target: a path with or without a query, or a whole URL.
struct Target {
  /// The path as received, without the query; `*` for the server itself.
  let path: String
  /// The host of a whole URL, with its port.
  let host: String?

  /// nil: not a request target.
  init?(_ text: String) {
    var rest = text[...]
    let scheme = rest.prefix { $0 != "/" }.lowercased()
    if scheme == "http:" || scheme == "https:", rest.dropFirst(scheme.count).hasPrefix("//") {
      rest = rest.dropFirst(scheme.count + 2)
      let name = rest.prefix { $0 != "/" && $0 != "?" }
      host = String(name)
      rest = rest[name.endIndex...]
      if rest.first != "/" { rest = "/" + rest }
    } else {
      host = nil
    }
    guard rest.first == "/" || rest == "*" else { return nil }
    path = String(rest.prefix { $0 != "?" })
  }
}

/// Whether the text is a name or an address, with or without a port (RFC 9110, 7.2).
func isHost(_ text: String) -> Bool {
  var rest = text.utf8[...]
  if rest.first == UInt8(ascii: "[") {
    guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
    let address = rest[..<end].dropFirst()
    let isAddress = address.allSatisfy {
      isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == 0x2e
    }
    guard isAddress, !address.isEmpty else { return false }
    rest = rest[end...].dropFirst()
  } else {
    let name = rest.prefix { isNameByte($0) }
    if name.isEmpty { return false }
    rest = rest[name.endIndex...]
  }
  guard let colon = rest.first else { return true }
  return colon == UInt8(ascii: ":") && rest.count <= 6 && rest.dropFirst().allSatisfy(isDigit)
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

private func isHexadecimal(_ byte: UInt8) -> Bool {
  isDigit(byte) || (0x61...0x66).contains(byte | 0x20)
}

private func isNameByte(_ byte: UInt8) -> Bool {
  isDigit(byte) || (0x61...0x7a).contains(byte | 0x20) || "-._~".utf8.contains(byte)
}

/// Why a request is refused before it is read to its end.
struct RequestError {
  let status: Int
  let detail: String
  var headers: [(name: String, value: String)] = []

  private init(_ status: Int, _ detail: String) {
    self.status = status
    self.detail = detail
  }

  var response: Response { .error(status, detail, headers: headers) }

  static func tooLong(_ limits: ConnectionLimits) -> RequestError {
    RequestError(413, "the body is longer than \(limits.body) bytes")
  }

  /// All clients' bodies together exceed the limit.
  static let crowded: RequestError = {
    var refusal = RequestError(503, "too many request bodies in flight; try again later")
    refusal.headers = [("retry-after", "1")]
    return refusal
  }()

  static let slow = RequestError(408, "the request did not arrive in time")

  /// Checks that need only the head; nil: the request may continue.
  init?(_ head: HTTPRequestHead, _ limits: ConnectionLimits) {
    guard
      let found = RequestError.ofFraming(head) ?? .ofTarget(head) ?? .ofExpectation(head)
        ?? .ofLength(head, limits)
    else { return nil }
    self = found
  }

  /// Headers that may appear only once: this server would use the first, another the last.
  private static let single = [
    "host", "transfer-encoding", "content-length", "content-type", "expect", "authorization",
    "content-encoding", "origin", "idempotency-key",
  ]

  // The decoder refuses a request with both a length and a transfer coding, and codings after a
  // final chunked. These checks refuse what a proxy in front could read differently.
  private static func ofFraming(_ head: HTTPRequestHead) -> RequestError? {
    for name in single where head.headers[name].count > 1 {
      return RequestError(400, "header \(name) appears more than once")
    }
    guard let coding = head.headers.first(name: "transfer-encoding") else { return nil }
    if head.version == .http1_0 { return RequestError(400, "transfer-encoding needs HTTP/1.1") }
    let isChunked = coding.lowercased() == "chunked"
    return isChunked ? nil : RequestError(501, "unsupported transfer-encoding (only chunked)")
  }

  private static func ofTarget(_ head: HTTPRequestHead) -> RequestError? {
    if head.method == .CONNECT { return RequestError(501, "CONNECT: this server is not a proxy") }
    let host = head.headers.first(name: "host")
    if host == nil, head.version == .http1_0 { return nil }
    guard let host else { return RequestError(400, "header Host is missing") }
    guard isHost(host) else { return RequestError(400, "Host is not a name or address") }
    guard let target = Target(head.uri) else {
      return RequestError(400, "the request target is not a path")
    }
    if let named = target.host, named.lowercased() != host.lowercased() {
      return RequestError(400, "Host does not match the request target")
    }
    return nil
  }

  private static func ofExpectation(_ head: HTTPRequestHead) -> RequestError? {
    let isKnown = head.headers["expect"].allSatisfy { $0.lowercased() == "100-continue" }
    return isKnown ? nil : RequestError(417, "unsupported Expect (only 100-continue)")
  }

  private static func ofLength(_ head: HTTPRequestHead, _ limits: ConnectionLimits) -> RequestError?
  {
    guard let length = head.headers.first(name: "content-length") else { return nil }
    return Int(length).map { $0 <= limits.body } ?? false ? nil : .tooLong(limits)
  }

  /// The response to malformed HTTP.
  init(_ error: HTTPParserError) {
    switch error {
    case .headerOverflow: self.init(431, "the request line or the headers are too long")
    // `paused`: the preface of HTTP/2.
    case .invalidVersion, .paused: self.init(505, "HTTP/1.1 only")
    case .invalidEOFState: self.init(400, "the request is incomplete")
    case .unknown, .strictModeAssertion: self.init(400, "malformed HTTP request")
    default: self.init(400, "malformed HTTP request: \(error)")
    }
  }
}

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
