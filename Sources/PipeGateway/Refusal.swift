internal import NIOHTTP1

/// Why a request is not read to its end.
struct Refusal {
  let status: Int
  let detail: String
  var headers: [(name: String, value: String)] = []

  private init(_ status: Int, _ detail: String) {
    self.status = status
    self.detail = detail
  }

  static func tooLong(_ limits: ConnectionLimits) -> Refusal {
    Refusal(413, "the body is longer than \(limits.body) bytes")
  }

  var answer: Answer { .error(status, detail, headers: headers) }

  /// The bodies of all clients together.
  static let crowded: Refusal = {
    var refusal = Refusal(503, "too much is being sent at once")
    refusal.headers = [("retry-after", "1")]
    return refusal
  }()

  /// What can be told by the head alone; nil: it may go on.
  init?(_ head: HTTPRequestHead, _ limits: ConnectionLimits) {
    let hosts = head.headers[canonicalForm: "host"]
    if hosts.count > 1 || head.version != .http1_0 && hosts.isEmpty {
      self.init(400, "one Host is needed")
    } else if head.headers["expect"].contains(where: { $0.lowercased() != "100-continue" }) {
      self.init(417, "only 100-continue can be expected")
    } else if let length = head.headers.first(name: "content-length"),
      Int(length).map({ $0 > limits.body }) ?? true
    {
      self = .tooLong(limits)
    } else {
      return nil
    }
  }

  /// What is not HTTP.
  init(_ error: HTTPParserError) {
    switch error {
    case .headerOverflow: self.init(431, "the headers are too long")
    case .invalidVersion: self.init(505, "HTTP/1.1 is spoken here")
    default: self.init(400, "not HTTP: \(error)")
    }
  }
}
