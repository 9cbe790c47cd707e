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
    case "/ingest", "/log": (["POST"], .intake)
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
