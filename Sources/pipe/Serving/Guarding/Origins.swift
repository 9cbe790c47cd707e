internal import Glibc
internal import PipeGateway

/// Which web pages may use the gateway through somebody's browser.
struct Origins: Sendable {
  /// Of another site that may: `https://example.com`, or `*` for all; nil for none.
  let permitted: String?
  /// Whether clients prove with a token that they are no stranger's page.
  let hasToken: Bool

  /// Why a request is refused; nil: it may.
  func refuses(_ request: Request) -> Answer? {
    let host = request.header("host") ?? ""
    // A stranger's page can make its own name point here; it cannot do so with an address.
    if !hasToken, !isAddress(host) {
      return .error(403, "\(host): without a token only addresses and localhost are answered")
    }
    guard let origin = request.header("origin"), request.method != "GET", request.method != "HEAD",
      !hasToken, origin != "http://\(host)", origin != "https://\(host)", !permits(origin)
    else { return nil }
    return .error(403, "\(origin): pages of another origin may not do this (see --cors)")
  }

  func permits(_ origin: String) -> Bool { permitted == "*" || permitted == origin }

  /// What the browser of a page from elsewhere needs to see.
  func headers(for request: Request) -> [(name: String, value: String)] {
    guard let permitted else { return [] }
    guard let origin = request.header("origin"), permits(origin) else {
      return [("vary", "Origin")]
    }
    let base = [
      ("access-control-allow-origin", permitted == "*" ? "*" : origin), ("vary", "Origin"),
      ("access-control-expose-headers", "retry-after"),
    ]
    guard request.method == "OPTIONS" else { return base }
    return base + [
      ("access-control-allow-methods", "GET, POST"),
      ("access-control-allow-headers", "authorization, content-type, idempotency-key"),
      ("access-control-max-age", "600"),
    ]
  }

  // Without its port.
  private func isAddress(_ host: String) -> Bool {
    var name = host[...]
    if name.hasPrefix("[") { return name.contains("]") }
    if let colon = name.lastIndex(of: ":") { name = name[..<colon] }
    var address = in_addr()
    return name.isEmpty || name.lowercased() == "localhost"
      || name.lowercased().hasSuffix(".localhost")
      || inet_pton(AF_INET, String(name), &address) == 1
  }
}
