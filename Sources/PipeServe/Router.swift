internal import PipeGateway

/// Passes each request to its handler. Runs on the event loop: nothing here blocks.
struct Router: Sendable {
  let intake: SerialWorker<IngestHandler, PendingRequest>
  /// Slow queries have workers of their own, so that they do not delay the others.
  let health: SerialWorker<QueryHandler, PendingRequest>
  let status: SerialWorker<QueryHandler, PendingRequest>
  let metrics: SerialWorker<QueryHandler, PendingRequest>
  /// Event streams, and retries of dead letters.
  let events: SerialWorker<EventBroadcaster, BroadcastState>
  let retries: SerialWorker<RetryHandler, PendingRequest>
  let token: TokenFile?
  let origins: Origins
  let limit: RateLimit?

  /// Decides by the head, before the body: the body of a refused request is not kept, and a long
  /// one is not waited for.
  func admit(_ request: Request) -> Admission {
    Admission(
      headers: Response.guards + origins.headers(for: request), refusal: refusal(request))
  }

  func take(_ requests: [PendingRequest]) {
    var posts: [PendingRequest] = []
    for pending in requests {
      switch direct(pending.request) {
      case .response(let response): pending.respond(response)
      case .to(.intake): posts.append(pending)
      case .to(.health): health.put(pending)
      case .to(.status): status.put(pending)
      case .to(.metrics): metrics.put(pending)
      case .to(.events): events.put(.came(pending))
      case .to(.retry): retries.put(pending)
      case .to(.page(let page)): pending.respond(page.response())
      case .to(.moved(let path)): pending.respond(Response(307, headers: [("location", path)]))
      }
    }
    intake.put(posts)
  }

  /// Called once a second.
  func watch() { events.put(.second, upTo: 1) }

  private enum Direction {
    case response(Response)
    case to(Endpoint)
  }

  private func direct(_ request: Request) -> Direction {
    guard let (methods, endpoint) = Endpoint.find(request.path) else {
      return .response(.error(404, "no such path: \(request.path)"))
    }
    guard methods.contains(request.method) else { return .response(other(request, methods)) }
    // Permission to send requests does not include retry: that needs a gateway with a token.
    if case .retry = endpoint, token == nil {
      return .response(.error(403, "retry needs a gateway with a token (see --token-file)"))
    }
    return .to(endpoint)
  }

  // Decided before the request is routed.
  private func refusal(_ request: Request) -> Response? {
    if Endpoint.isOpen(request.path) { return nil }
    if !request.isPreflight, let seconds = limit?.refuses(request.client) {
      return .error(
        429, "too many requests from \(request.client)", headers: [("retry-after", "\(seconds)")])
    }
    if let refusal = origins.refuses(request) { return refusal }
    // A browser's preflight request has no token.
    if request.method == "OPTIONS" { return nil }
    if let token, !token.permits(request.header("authorization")) {
      return .error(
        401, "send Authorization: Bearer TOKEN", headers: [("www-authenticate", "Bearer")])
    }
    return nil
  }

  private func other(_ request: Request, _ methods: [String]) -> Response {
    let allow = (methods + ["OPTIONS"]).joined(separator: ", ")
    if request.method == "OPTIONS" { return Response(204, headers: [("allow", allow)]) }
    return .error(405, "\(request.path) allows \(allow)", headers: [("allow", allow)])
  }
}
