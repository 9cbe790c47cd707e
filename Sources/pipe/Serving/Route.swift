/// What a path leads to.
enum Route {
  case intake, question, figures

  static let statusPrefix = "/status/"

  /// The methods that a path takes, and who answers; nil: nothing is there.
  static func find(_ path: String) -> (methods: [String], route: Route)? {
    switch path {
    case "/ingest", "/log": (["POST"], .intake)
    case "/health": (["GET", "HEAD"], .question)
    case "/metrics": (["GET", "HEAD"], .figures)
    default: path.hasPrefix(statusPrefix) ? (["GET", "HEAD"], .question) : nil
    }
  }

  /// Whether it is answered to those without a token.
  static func isOpen(_ path: String) -> Bool { path == "/health" }
}
