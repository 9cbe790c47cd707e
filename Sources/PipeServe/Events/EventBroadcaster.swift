internal import PipeGateway
internal import PipeIO
internal import PipeEngine
internal import PipeTime

/// Input of the worker that serves event streams.
enum BroadcastState: Sendable {
  case came(PendingRequest)
  /// One second has passed.
  case second
}

/// Sends the state of the queue to all subscribers: one measurement for all, and none if there are
/// no subscribers.
struct EventBroadcaster {
  private let event: WatchEvent
  private var subscribers: [Subscriber] = []
  /// The last measurement, as an event.
  private var shown: [UInt8] = []
  /// Earliest time of the next measurement (`Clock.steady`).
  private var next = SteadyInstant.distantPast

  /// At most this many subscribers: each has a send buffer.
  private static let most = 100

  init(_ queue: Queue, canRetry: Bool) {
    event = WatchEvent(queue: queue, canRetry: canRetry)
  }

  mutating func serve(_ news: [BroadcastState]) {
    subscribers.removeAll(where: \.isGone)
    let requests = news.compactMap { if case .came(let pending) = $0 { pending } else { nil } }
    guard !subscribers.isEmpty || !requests.isEmpty else { return }
    do throws(Fault) {
      if Clock.steady() >= next { try measure() }
      for pending in requests { welcome(pending) }
    } catch {
      // Subscribers reconnect, and the response then says why.
      Subscriber.end(subscribers)
      subscribers.removeAll()
      for pending in requests { pending.respond(.unavailable(error)) }
    }
  }

  // Measuring takes at most a twentieth of a processor, however large the queue is. The ticks come
  // from another clock, and the next one may come slightly early: `next` allows 100 ms.
  private mutating func measure() throws(Fault) {
    let start = Clock.steady()
    shown = try event.bytes {
      let pause = max(.seconds(1), 20 * (Clock.steady() - start))
      next = start + pause - .milliseconds(100)
      return pause
    }
    Subscriber.send(shown, to: subscribers)
  }

  private mutating func welcome(_ pending: PendingRequest) {
    guard subscribers.count < EventBroadcaster.most else {
      return pending.respond(
        .error(
          503, "\(subscribers.count) event streams are open already; try again later",
          headers: [("retry-after", "10")]))
    }
    let headers = [("x-accel-buffering", "no")]
    subscribers.append(
      pending.beginEventStream(Response(200, "text/event-stream", shown, headers: headers)))
  }
}
