internal import NIOHTTP1

/// Why a request is not read to its end.
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

  /// The bodies of all clients together.
  static let crowded: RequestError = {
    var refusal = RequestError(503, "too much is being sent at once")
    refusal.headers = [("retry-after", "1")]
    return refusal
  }()

  static let slow = RequestError(408, "the request took too long to come")

  /// What can be told by the head alone; nil: it may go on.
  init?(_ head: HTTPRequestHead, _ limits: ConnectionLimits) {
    guard
      let found = RequestError.ofFraming(head) ?? .ofTarget(head) ?? .ofExpectation(head)
        ?? .ofLength(head, limits)
    else { return nil }
    self = found
  }

  /// Of these the first would count here and the last somewhere else.
  private static let single = [
    "host", "transfer-encoding", "content-length", "content-type", "expect", "authorization",
    "content-encoding", "origin", "idempotency-key",
  ]

  // The decoder refuses both lengths at once, and codings behind the last chunked. What is left is what a
  // proxy in front could read in another way.
  private static func ofFraming(_ head: HTTPRequestHead) -> RequestError? {
    for name in single where head.headers[name].count > 1 {
      return RequestError(400, "\(name) is given more than once")
    }
    guard let coding = head.headers.first(name: "transfer-encoding") else { return nil }
    if head.version == .http1_0 { return RequestError(400, "HTTP/1.0 has no transfer-encoding") }
    let isChunked = coding.lowercased() == "chunked"
    return isChunked ? nil : RequestError(501, "of transfer-encodings only chunked is known here")
  }

  private static func ofTarget(_ head: HTTPRequestHead) -> RequestError? {
    if head.method == .CONNECT { return RequestError(501, "this is no proxy") }
    let host = head.headers.first(name: "host")
    if host == nil, head.version == .http1_0 { return nil }
    guard let host else { return RequestError(400, "one Host is needed") }
    guard isHost(host) else { return RequestError(400, "Host is no name or address") }
    guard let target = Target(head.uri) else {
      return RequestError(400, "what is asked for is no path")
    }
    if let named = target.host, named.lowercased() != host.lowercased() {
      return RequestError(400, "Host is not that of what is asked for")
    }
    return nil
  }

  private static func ofExpectation(_ head: HTTPRequestHead) -> RequestError? {
    let isKnown = head.headers["expect"].allSatisfy { $0.lowercased() == "100-continue" }
    return isKnown ? nil : RequestError(417, "only 100-continue can be expected")
  }

  private static func ofLength(_ head: HTTPRequestHead, _ limits: ConnectionLimits) -> RequestError?
  {
    guard let length = head.headers.first(name: "content-length") else { return nil }
    return Int(length).map { $0 <= limits.body } ?? false ? nil : .tooLong(limits)
  }

  /// What is not HTTP.
  init(_ error: HTTPParserError) {
    switch error {
    case .headerOverflow: self.init(431, "the first line or the headers are too long")
    // The second is how HTTP/2 begins.
    case .invalidVersion, .paused: self.init(505, "HTTP/1.1 is spoken here")
    case .invalidEOFState: self.init(400, "the request ends too early")
    case .unknown, .strictModeAssertion: self.init(400, "not HTTP as it is written down")
    default: self.init(400, "not HTTP: \(error)")
    }
  }
}
