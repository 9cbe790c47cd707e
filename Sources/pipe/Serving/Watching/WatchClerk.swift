internal import PipeGateway
internal import PipeIO
internal import PipeQueue

/// What the desk of those who look on is told.
enum WatchNews: Sendable {
  case came(Exchange)
  /// A second has passed.
  case second
}

/// Shows the queue to all who look on: one measurement for all, and none while nobody does.
struct WatchClerk {
  private let event: WatchEvent
  private var viewers: [Viewer] = []
  /// What was measured last.
  private var shown: [UInt8] = []
  /// When it may be measured again (`Clock.steady`).
  private var next = Int64.min

  /// Who comes when so many look on is sent away: what one more has not read is kept for it.
  private static let most = 100

  init(_ queue: Queue, canRetry: Bool) {
    event = WatchEvent(queue: queue, canRetry: canRetry)
  }

  mutating func serve(_ news: [WatchNews]) {
    viewers.removeAll(where: \.isGone)
    let exchanges = news.compactMap { if case .came(let exchange) = $0 { exchange } else { nil } }
    guard !viewers.isEmpty || !exchanges.isEmpty else { return }
    do throws(Fault) {
      if Clock.steady() >= next { try measure() }
      for exchange in exchanges { welcome(exchange) }
    } catch {
      // They ask again, and are told why.
      Viewer.end(viewers)
      viewers.removeAll()
      for exchange in exchanges { exchange.answer(.unavailable(error)) }
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
    Viewer.show(shown, to: viewers)
  }

  private mutating func welcome(_ exchange: Exchange) {
    guard viewers.count < WatchClerk.most else {
      return exchange.answer(
        .error(503, "\(viewers.count) look on already", headers: [("retry-after", "10")]))
    }
    let headers = [("x-accel-buffering", "no")]
    viewers.append(
      exchange.begin(Answer(200, "text/event-stream", shown, headers: headers)))
  }
}
