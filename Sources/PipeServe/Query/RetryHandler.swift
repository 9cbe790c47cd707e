internal import PipeGateway
internal import PipeIO
internal import PipeQueue
internal import PipeRender

/// Retries dead letters: their items become ready again.
struct RetryHandler {
  private let queue: Queue

  init(_ queue: Queue) { self.queue = queue }

  func serve(_ requests: [PendingRequest]) {
    for pending in requests { pending.respond(response(pending.request)) }
  }

  private func response(_ request: Request) -> Response {
    guard ContentType(request.header("content-type")) == .json else {
      return .error(415, "send no body, or Content-Type: application/json")
    }
    let text = String(request.path.dropFirst(Endpoint.retryPrefix.count))
    do throws(Fault) {
      guard let id = EntryID(text), try queue.status(id) != nil else {
        return .error(404, "Ingestion ID not found")
      }
      let items = try queue.revive(id)
      guard items > 0 else { return .error(404, "\(id.text) has no dead letter") }
      return Response(200, Response.json, DeadLetterResult(id: id, items: items).line)
    } catch { return .unavailable(error) }
  }
}
