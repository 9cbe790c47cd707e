/// What a path leads to.
enum Endpoint {
  case intake, health, question, figures, watching, retry
  case page(Page)

  static let statusPrefix = "/status/"
  static let retryPrefix = "/retry/"

  /// The methods that a path takes, and who answers; nil: nothing is there.
  static func find(_ path: String) -> (methods: [String], endpoint: Endpoint)? {
    switch path {
    case "/ingest", "/log": (["POST"], .intake)
    case "/health": (["GET", "HEAD"], .health)
    case "/": (["GET", "HEAD"], .page(.dashboard))
    case "/docs": (["GET", "HEAD"], .page(.docs))
    case "/openapi.json": (["GET", "HEAD"], .page(.openAPI))
    case "/metrics": (["GET", "HEAD"], .figures)
    case "/events": (["GET"], .watching)
    default: below(path)
    }
  }

  private static func below(_ path: String) -> (methods: [String], endpoint: Endpoint)? {
    if path.hasPrefix(statusPrefix) { return (["GET", "HEAD"], .question) }
    return path.hasPrefix(retryPrefix) ? (["POST"], .retry) : nil
  }

  /// Whether it is answered to those without a token.
  static func isOpen(_ path: String) -> Bool {
    switch path {
    // Pages have no data in them: they ask for it, with a token.
    case "/health", "/", "/docs", "/openapi.json": true
    default: false
    }
  }
}
