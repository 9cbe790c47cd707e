/// What a path leads to.
enum Endpoint {
  case intake, health, question, figures, watching, retry
  case page(Page)
  /// To another path.
  case moved(String)

  static let statusPrefix = "/status/"
  static let retryPrefix = "/retry/"

  /// The methods that a path takes, and where its requests go; nil: nothing is there.
  static func find(_ path: String) -> (methods: [String], endpoint: Endpoint)? {
    switch path {
    case "/ingest", "/log": (["POST"], .intake)
    case "/health": (["GET", "HEAD"], .health)
    case "/": (["GET", "HEAD"], .page(.dashboard))
    case "/docs": (["GET", "HEAD"], .page(.docs))
    case "/openapi.json": (["GET", "HEAD"], .page(.openAPI))
    // Where the earlier system had it.
    case "/redoc": (["GET", "HEAD"], .moved("/docs"))
    case "/metrics": (["GET", "HEAD"], .figures)
    case "/events": (["GET"], .watching)
    default: below(path)
    }
  }

  private static func below(_ path: String) -> (methods: [String], endpoint: Endpoint)? {
    // With an id or without: that is a matter of the answer.
    if (path + "/").hasPrefix(statusPrefix) { return (["GET", "HEAD"], .question) }
    return (path + "/").hasPrefix(retryPrefix) ? (["POST"], .retry) : nil
  }

  /// Whether it is answered to those without a token.
  static func isOpen(_ path: String) -> Bool {
    switch path {
    // Pages have no data in them: they ask for it, with a token.
    case "/health", "/", "/docs", "/redoc", "/openapi.json": true
    default: false
    }
  }
}
