internal import PipeEngine
internal import PipeGateway
internal import PipeIO
internal import PipeMeasure
internal import PipeRender
internal import PipeStats
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

/// The state of a queue at one instant for the dashboard, as an event of `text/event-stream`.
struct WatchEvent {
  let queue: Queue
  let canRetry: Bool

  /// Largest number of claims shown, and of dead letters.
  private static let most = 50
  /// Bytes shown of a dead letter's data.
  private static let longest = 200

  /// `data: {"time":"…","queue":"…","can_retry":true,"next_seconds":1.0,"stats":{…},"minutes":[…],"in_flight":{…},"dead":{…}}`
  /// `next` is called after the measurement and returns the time until the next one.
  func bytes(next: () -> TimeSpan) throws(Fault) -> [UInt8] {
    try queue.requireExistence()
    let measurement = Measurement(queue)
    var report = try measurement.report(since: nil)
    report.ever = try measurement.everything()
    let minutes = try measurement.hour().map(\.line).joined(separator: ",")
    let output = Output()
    output.append(#"data: {"time":"#)
    output.appendTime(measurement.now)
    output.append(#","queue":"#)
    output.appendString(printable(queue.path))
    output.append(#","can_retry":\#(canRetry),"stats":"#)
    output.append(String(ReportLine(report).text.dropLast()))
    output.append(#","minutes":["# + minutes)
    output.append(#"],"in_flight":"#)
    try appendClaims(at: measurement.now, to: output)
    output.append(#","dead":"#)
    try appendDead(report.depths.dead.sum, to: output)
    output.append(#","next_seconds":"# + seconds(next()) + "}\n\n")
    return output.bytes
  }

  private func appendClaims(at now: Instant, to output: Output) throws(Fault) {
    let (claims, more) = try queue.claims(upTo: WatchEvent.most, at: now)
    output.append(#"{"claims":["#)
    for (position, claim) in claims.enumerated() {
      output.append((position > 0 ? "," : "") + #"{"claim":"\#(claim.claim.text)","items":"#)
      output.append(#"\#(claim.items),"attempt":\#(claim.attempt),"priority":"#)
      output.appendString(claim.priority.name)
      output.append(#","since":"#)
      output.appendTime(claim.since)
      output.append(#","holder":"#)
      output.appendString(claim.holder)
      output.append(#","until":"#)
      output.appendTime(claim.until)
      output.append("}")
    }
    output.append(#"],"more":\#(more)}"#)
  }

  // The first dead letters, in the order of `pipe dead`.
  private func appendDead(_ count: Int, to output: Output) throws(Fault) {
    var shown = 0
    output.append(#"{"letters":["#)
    try queue.deadLetters { letter in
      if shown > 0 { output.append(",") }
      append(letter, to: output)
      shown += 1
      return shown < WatchEvent.most
    }
    output.append(#"],"more":\#(max(0, count - shown))}"#)
  }

  private func append(_ letter: DeadLetter, to output: Output) {
    let last = letter.history.last
    output.append(#"{"id":"\#(letter.entry.text)","item":\#(letter.index),"priority":"#)
    output.appendString(letter.priority.name)
    output.append(#","reason":"#)
    output.appendString(last?.reason)
    output.append(#","died_at":"#)
    output.appendTime(last?.ended)
    output.append(#","attempts":"# + (last.map { "\($0.number)" } ?? "null"))
    output.append(#","data":"#)
    output.appendString(WatchEvent.excerpt(letter.data))
    output.append(#","data_bytes":\#(letter.data.count)}"#)
  }

  // Cuts at the boundary of a character.
  private static func excerpt(_ data: [UInt8]) -> String {
    var end = min(data.count, longest)
    while end > 0, end < data.count, data[end] & 0xc0 == 0x80 { end -= 1 }
    return String(decoding: data[..<end], as: UTF8.self)
  }
}
