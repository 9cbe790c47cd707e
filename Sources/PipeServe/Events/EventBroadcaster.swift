internal import PipeGateway
internal import PipeIO
internal import PipeQueue

/// What the desk of those who look on is told.
enum BroadcastState: Sendable {
  case came(PendingRequest)
  /// A second has passed.
  case second
}

/// Shows the queue to all who look on: one measurement for all, and none while nobody does.
struct EventBroadcaster {
  private let event: WatchEvent
  private var subscribers: [Subscriber] = []
  /// What was measured last.
  private var shown: [UInt8] = []
  /// When it may be measured again (`Clock.steady`).
  private var next = Int64.min

  /// Who comes when so many look on is sent away: what one more has not read is kept for it.
  private static let most = 100

  init(_ queue: Queue, canRetry: Bool) {
    event = WatchEvent(queue: queue, canRetry: canRetry)
  }

  mutating func serve(_ news: [BroadcastState]) {
    subscribers.removeAll(where: \.isGone)
    let exchanges = news.compactMap { if case .came(let pending) = $0 { pending } else { nil } }
    guard !subscribers.isEmpty || !exchanges.isEmpty else { return }
    do throws(Fault) {
      if Clock.steady() >= next { try measure() }
      for pending in exchanges { welcome(pending) }
    } catch {
      // They ask again, and are told why.
      Subscriber.end(subscribers)
      subscribers.removeAll()
      for pending in exchanges { pending.response(.unavailable(error)) }
    }
  }

  // However large the queue is, it costs no more than a twentieth of a processor to look on. The seconds are
  // another clock's: a little less than one has passed when the next comes.
  private mutating func measure() throws(Fault) {
    let start = Clock.steady()
    shown = try event.bytes {
      let pause = max(1_000_000, 20 * (Clock.steady() - start))
      next = start + pause - 100_000
      return pause
    }
    Subscriber.show(shown, to: subscribers)
  }

  private mutating func welcome(_ pending: PendingRequest) {
    guard subscribers.count < EventBroadcaster.most else {
      return pending.response(
        .error(
          503, "\(subscribers.count) event streams are open already; try again later",
          headers: [("retry-after", "10")]))
    }
    let headers = [("x-accel-buffering", "no")]
    subscribers.append(
      pending.begin(Response(200, "text/event-stream", shown, headers: headers)))
  }
}
