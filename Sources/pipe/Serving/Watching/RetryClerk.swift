internal import PipeGateway
internal import PipeIO
internal import PipeQueue

/// Makes dead items ready again.
struct RetryClerk {
  private let queue: Queue

  init(_ queue: Queue) { self.queue = queue }

  func serve(_ exchanges: [Exchange]) {
    for exchange in exchanges { exchange.answer(answer(exchange.request)) }
  }

  private func answer(_ request: Request) -> Answer {
    guard ContentType(request.header("content-type")) == .json else {
      return .error(415, "send no body, or application/json")
    }
    let text = String(request.path.dropFirst(Endpoint.retryPrefix.count))
    do throws(Fault) {
      guard let id = EntryID(text), try queue.status(id) != nil else {
        return .error(404, "Ingestion ID not found")
      }
      let items = try queue.revive(id)
      guard items > 0 else { return .error(404, "\(id.text) has no dead letter") }
      return Answer(200, Answer.json, Treated(id: id, items: items).line)
    } catch { return .unavailable(error) }
  }
}
