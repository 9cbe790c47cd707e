package import PipeIO
package import PipeEngine
package import PipeStats
package import PipeTime

/// Computes figures from the state of a queue and its records of settled items.
package struct Measurement {
  let queue: Queue
  package let now: Instant

  package init(_ queue: Queue, at now: Instant = Clock.now()) {
    self.queue = queue
    self.now = now
  }

  /// `since`: nil for the whole retention period.
  package func report(since: TimeSpan?) throws(Fault) -> Report {
    try report(since: since, try activity(since: since))
  }

  /// The same, with the activity of that period.
  package func report(since: TimeSpan?, _ activity: Activity) throws(Fault) -> Report {
    let lanes = try queue.census(at: now)
    let window = try Window(self, since, activity)
    var report = Report(
      at: now, depths: depths(lanes), oldestReady: PerPriority(lanes).map { age($0.oldestReady) },
      ages: try ages(lanes), since: since.map(\.seconds), start: window.start,
      seconds: window.seconds, activity: activity, counters: try counters(lanes),
      inPerSecond: window.rate(of: window.accepted),
      outPerSecond: window.rate(of: activity.acknowledged))
    report.pause = try queue.pauseNow().map {
      Report.Pause(since: $0.since, until: $0.until, reason: $0.reason)
    }
    return report
  }

  /// Activity of the last `since`; nil for the whole retention period.
  func activity(since: TimeSpan?) throws(Fault) -> Activity {
    try activity(from: start(since))
  }

  /// Activity since the queue was created: it only grows. `isNeeded`: throws if the records cannot
  /// be read, rather than report zero; Prometheus would take a drop to zero for a restart.
  package func everything(isNeeded: Bool = false) throws(Fault) -> Activity {
    try activity(from: nil, isNeeded: isNeeded)
  }

  private func activity(from start: Instant?, isNeeded: Bool = false) throws(Fault) -> Activity {
    var activity = Activity()
    try queue.recordings(since: start, at: now, isNeeded: isNeeded) { activity.add($0) }
    return activity
  }

  private func start(_ since: TimeSpan?) -> Instant { now - (since ?? queue.settings.retain) }

  /// Activity by tag; nil: items without a tag. `wanted`: other tags are skipped.
  func activities(since: TimeSpan?, of wanted: Set<String?>? = nil) throws(Fault) -> [String?:
    Activity]
  {
    var found: [String?: Activity] = [:]
    var tags = KnownTags()
    try queue.recordings(since: start(since), at: now) { recording in
      if wanted?.contains(recording.tag) == false { return }
      found[tags.shown(recording.tag), default: Activity()].add(recording)
    }
    return found
  }

  private func depths(_ lanes: [LaneCensus]) -> Depths {
    let lanes = PerPriority(lanes)
    var depths = Depths()
    depths.ready = lanes.map(\.ready)
    depths.claimed = lanes.map(\.claimed)
    depths.later = lanes.map(\.later)
    depths.dead = lanes.map(\.dead)
    depths.done = lanes.map(\.done)
    depths.lost = lanes.map(\.lost)
    return depths
  }

  private func age(_ accepted: Instant?) -> Double? {
    accepted.map { max(.zero, now - $0).seconds }
  }

  private func ages(_ lanes: [LaneCensus]) throws(Fault) -> AgeTable {
    let oldest = lanes.compactMap { age($0.oldestWaiting) }.max()
    let bounds = AgeTable.bounds(upTo: oldest ?? 0)
    // For each lane, the number of waiting items older than each bound.
    var older = lanes.map { [$0.waiting(below: .max)] }
    for bound in bounds {
      let numbers =
        oldest == nil ? nil : try queue.numbers(from: now - .microseconds(Int64(bound * 1e6)))
      for lane in lanes.indices {
        older[lane].append(numbers.map { lanes[lane].waiting(below: $0[lane]) } ?? 0)
      }
    }
    let counts = older.map { older in
      zip(older, older.dropFirst() + [0]).map { max(0, $0 - $1) }
    }
    return AgeTable(bounds: bounds, counts: PerPriority(counts))
  }

  private func counters(_ lanes: [LaneCensus]) throws(Fault) -> PipeStats.Counters {
    var counters = PipeStats.Counters()
    counters.ingestedRows = lanes.reduce(0) { $0 + $1.entries }
    counters.acceptedItems = lanes.reduce(0) { $0 + $1.items }
    counters.failedValidations = try queue.total(.failedValidations)
    counters.ingestionErrors = try queue.total(.ingestionErrors)
    return counters
  }
}

extension PerPriority {
  /// In lane order.
  init(_ values: [Value]) { self.init(high: values[0], medium: values[1], low: values[2]) }
}

extension Activity {
  mutating func add(_ recording: Recording) {
    switch recording.kind {
    case .wait: wait.record(recording.times)
    case .service: service.record(recording.times)
    case .total: total.record(recording.times)
    case .batches:
      batches.record(recording.times)
      acknowledged &+= recording.items
    case .retried:
      failures.record(recording.times)
      retried &+= recording.items
    case .buried:
      failures.record(recording.times)
      buried &+= recording.items
    }
    first = min(first ?? .distantFuture, recording.first)
    last = max(last ?? .distantPast, recording.last)
  }
}

extension Latency {
  mutating func record(_ times: [(microseconds: Int, count: Int)]) {
    for time in times { record(time.microseconds, count: time.count) }
  }
}

extension Measurement {
  /// The last `count` minutes, including the current one. `body` gets each recording with the index
  /// of its minute.
  func minutes(
    _ count: Int, _ body: (Int, Recording) -> Void = { _, _ in }
  ) throws(Fault) -> [Period] {
    let minute: TimeSpan = .minutes(1)
    let thisMinute = Instant.epoch + (now.microseconds / minute.microseconds) * minute
    let start = thisMinute - Int64(count - 1) * minute
    var periods: [Period] = []
    var before = try queue.numbers(from: start).reduce(0, +)
    for index in 0..<count {
      let begin = start + Int64(index) * minute
      let behind = try queue.numbers(from: begin + minute).reduce(0, +)
      let seconds = min(60, (now - begin).seconds)
      periods.append(Period(start: begin, seconds: seconds, accepted: behind - before))
      before = behind
    }
    try queue.recordings(since: start, at: now) { recording in
      let index = Int((recording.middle - start).microseconds / minute.microseconds)
      guard periods.indices.contains(index) else { return }
      periods[index].add(recording)
      body(index, recording)
    }
    return periods
  }
}

extension Period {
  fileprivate mutating func add(_ recording: Recording) {
    let count = recording.times.reduce(0) { $0 &+ $1.count }
    switch recording.kind {
    case .wait, .service, .total: return
    case .retried, .buried: failures &+= count
    case .batches:
      batches &+= count
      acknowledged &+= recording.items
      service += recording.times.reduce(0) {
        $0 + Double($1.microseconds) / 1e6 * Double($1.count)
      }
    }
  }
}

extension Measurement {
  /// The last hour by minute, including the current one.
  package func hour() throws(Fault) -> [Minute] {
    var times = [[(microseconds: Int, count: Int)]](repeating: [], count: 60)
    var failed = [Int](repeating: 0, count: 60)
    let periods = try minutes(60) { index, recording in
      switch recording.kind {
      case .total: times[index] += recording.times
      case .retried, .buried: failed[index] &+= recording.items
      case .wait, .service, .batches: break
      }
    }
    return periods.enumerated().map { index, period in
      var total = Latency()
      total.record(times[index])
      return Minute(period, failed: failed[index], total: total)
    }
  }
}

/// The period over which rates are computed. With `since` it ends now and begins no earlier than
/// the first known event; without, it runs from the first event to the last.
struct Window {
  /// Items accepted in the period.
  let accepted: Int
  /// nil: no events, or all at one instant.
  let start: Instant?
  let seconds: Double?

  /// `since`: nil for the whole retention period.
  init(_ measurement: Measurement, _ since: TimeSpan?, _ activity: Activity) throws(Fault) {
    let (queue, now) = (measurement.queue, measurement.now)
    guard let since else {
      let all = try queue.arrivals(since: max(.epoch, now - queue.settings.retain))
      accepted = all.items
      let first = [all.first, activity.first].compactMap { $0 }.min()
      let last = [all.last, activity.last].compactMap { $0 }.max()
      (start, seconds) = Window.span(first, last)
      return
    }
    let all = try queue.arrivals(since: .epoch)
    let asked = now - since
    let arrivals = try queue.arrivals(since: asked)
    accepted = arrivals.items
    let isOlder = all.first.map { $0 < asked } ?? false
    let first = [arrivals.first, activity.first].compactMap { $0 }.min()
    (start, seconds) = Window.span(isOlder ? asked : first, now)
  }

  private static func span(_ first: Instant?, _ last: Instant?) -> (Instant?, Double?) {
    guard let first, let last, last > first else { return (nil, nil) }
    return (first, (last - first).seconds)
  }

  func rate(of items: Int) -> Double? { seconds.map { Double(items) / $0 } }
}

/// Prints each message once: a repeated reading repeats its errors.
package final class OncePerMessage {
  private let print: (String) -> Void
  private var said: Set<String> = []

  /// Messages remembered before all are forgotten; some contain a process id.
  private static let most = 1000

  package init(_ print: @escaping (String) -> Void) { self.print = print }

  package func say(_ text: String) {
    if said.count >= OncePerMessage.most { said.removeAll() }
    if said.insert(text).inserted { print(text) }
  }
}
