internal import PipeGateway

/// Gives each request to who answers it. On the event loop: nothing here blocks.
struct Router: Sendable {
  let intake: Desk<IntakeClerk, Exchange>
  /// What takes longer must not keep the others waiting.
  let health: Desk<QuestionClerk, Exchange>
  let questions: Desk<QuestionClerk, Exchange>
  let figures: Desk<QuestionClerk, Exchange>
  /// Those who look on, and what makes dead items ready again.
  let watching: Desk<WatchClerk, WatchNews>
  let retries: Desk<RetryClerk, Exchange>
  let token: TokenFile?
  let origins: Origins
  let limit: RateLimit?

  /// What can be told by the head: nobody sends a body for nothing, or without being known.
  func receive(_ request: Request) -> Reception {
    Reception(
      headers: Answer.guards + origins.headers(for: request), refusal: refusal(request))
  }

  func take(_ exchanges: [Exchange]) {
    var posts: [Exchange] = []
    for exchange in exchanges {
      switch direct(exchange.request) {
      case .answer(let answer): exchange.answer(answer)
      case .to(.intake): posts.append(exchange)
      case .to(.health): health.put(exchange)
      case .to(.question): questions.put(exchange)
      case .to(.figures): figures.put(exchange)
      case .to(.watching): watching.put(.came(exchange))
      case .to(.retry): retries.put(exchange)
      case .to(.page(let page)): exchange.answer(page.answer())
      case .to(.moved(let path)): exchange.answer(Answer(307, headers: [("location", path)]))
      }
    }
    intake.put(posts)
  }

  /// Once a second.
  func watch() { watching.put(.second, upTo: 1) }

  private enum Direction {
    case answer(Answer)
    case to(Endpoint)
  }

  private func direct(_ request: Request) -> Direction {
    guard let (methods, endpoint) = Endpoint.find(request.path) else {
      return .answer(.error(404, "there is nothing at \(request.path)"))
    }
    guard methods.contains(request.method) else { return .answer(other(request, methods)) }
    // Whoever may send something may not do all: that is for those who were given the token.
    if case .retry = endpoint, token == nil {
      return .answer(.error(403, "without a token nothing is retried here (see --token-file)"))
    }
    return .to(endpoint)
  }

  // Before it is looked at what is asked for.
  private func refusal(_ request: Request) -> Answer? {
    if Endpoint.isOpen(request.path) { return nil }
    if let seconds = limit?.refuses(request.client) {
      return .error(
        429, "too many requests from \(request.client)", headers: [("retry-after", "\(seconds)")])
    }
    if let refusal = origins.refuses(request) { return refusal }
    // What a browser asks before the request itself has no token.
    if request.method == "OPTIONS" { return nil }
    if let token, !token.permits(request.header("authorization")) {
      return .error(
        401, "send Authorization: Bearer and the token", headers: [("www-authenticate", "Bearer")])
    }
    return nil
  }

  private func other(_ request: Request, _ methods: [String]) -> Answer {
    let allow = (methods + ["OPTIONS"]).joined(separator: ", ")
    if request.method == "OPTIONS" { return Answer(204, headers: [("allow", allow)]) }
    return .error(405, "\(request.path) takes \(allow)", headers: [("allow", allow)])
  }
}
