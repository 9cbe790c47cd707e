internal import NIOHTTP1

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
