internal import PipeGateway
internal import PipeIO

/// The destination of a path.
enum Endpoint {
  case intake, health, status, metrics, events, retry
  case page(Page)
  /// A redirect to another path.
  case moved(String)

  static let statusPrefix = "/status/"
  static let retryPrefix = "/retry/"

  /// The methods that a path allows, and its endpoint; nil: no such path.
  static func find(_ path: String) -> (methods: [String], endpoint: Endpoint)? {
    switch path {
    case "/ingest", "/enqueue", "/log": (["POST"], .intake)
    case "/health": (["GET", "HEAD"], .health)
    case "/": (["GET", "HEAD"], .page(.dashboard))
    case "/docs": (["GET", "HEAD"], .page(.docs))
    case "/openapi.json": (["GET", "HEAD"], .page(.openAPI))
    // The path of the earlier system.
    case "/redoc": (["GET", "HEAD"], .moved("/docs"))
    case "/metrics": (["GET", "HEAD"], .metrics)
    case "/events": (["GET"], .events)
    default: below(path)
    }
  }

  private static func below(_ path: String) -> (methods: [String], endpoint: Endpoint)? {
    // With or without an id: the handler judges it.
    if (path + "/").hasPrefix(statusPrefix) { return (["GET", "HEAD"], .status) }
    return (path + "/").hasPrefix(retryPrefix) ? (["POST"], .retry) : nil
  }

  /// Whether requests pass without a token, and without the checks of rate and origin.
  static func isOpen(_ path: String) -> Bool {
    switch path {
    // Pages contain no data: they fetch it, with a token.
    case "/health", "/", "/docs", "/redoc", "/openapi.json": true
    default: false
    }
  }
}

/// The declared type of a body.
enum ContentType {
  case json, lines, other

  /// No header counts as JSON. Parameters are ignored: JSON is UTF-8 whatever they say (RFC 8259,
  /// 11).
  init(_ header: String?) {
    let type = (header ?? "").prefix { $0 != ";" }.lowercased()
    switch type.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ") {
    case "", "application/json": self = .json
    case "application/x-ndjson", "application/jsonl": self = .lines
    case let type where type.hasPrefix("application/") && type.hasSuffix("+json"): self = .json
    default: self = .other
    }
  }
}

extension Response {
  /// The response to an operation that failed and may succeed later.
  static func unavailable(_ fault: Fault) -> Response {
    .error(503, fault.text, headers: [("retry-after", "1")])
  }
}
