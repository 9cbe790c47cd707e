package import PipeTime

/// The state of a queue at one instant, and its activity before that.
package struct Report {
  package var at: Instant
  package var depths: Depths
  /// Seconds; nil: no item is ready.
  package var oldestReady: PerPriority<Double?>
  package var ages: AgeTable
  /// The requested window in seconds; nil: everything that is kept.
  package var since: Double?
  /// The start of that window, and its length: until now or, without
  /// `since`, until the last event. Nil if nothing happened in it.
  package var start: Instant?
  package var seconds: Double?
  /// In the window.
  package var activity: Activity
  /// Since the queue was created. It only grows.
  package var ever: Activity
  package var counters: Counters
  /// Items; nil if the rate is unknown.
  package var inPerSecond: Double?
  package var outPerSecond: Double?
  /// The last hour, minute by minute, oldest first; empty unless a chart was requested.
  package var periods: [Period]
  /// Why no consumer takes anything; nil if the queue is not paused.
  package var pause: Pause?

  /// A pause of the queue.
  package struct Pause {
    package let since: Instant
    /// nil: until it is ended.
    package let until: Instant?
    package let reason: String

    package init(since: Instant, until: Instant?, reason: String) {
      (self.since, self.until, self.reason) = (since, until, reason)
    }
  }

  package init(
    at: Instant, depths: Depths, oldestReady: PerPriority<Double?>, ages: AgeTable,
    since: Double? = nil, start: Instant? = nil, seconds: Double? = nil,
    activity: Activity = Activity(), ever: Activity = Activity(), counters: Counters,
    inPerSecond: Double? = nil, outPerSecond: Double? = nil, periods: [Period] = []
  ) {
    self.at = at
    self.depths = depths
    self.oldestReady = oldestReady
    self.ages = ages
    self.since = since
    self.start = start
    self.seconds = seconds
    self.activity = activity
    self.ever = ever
    self.counters = counters
    self.inPerSecond = inPerSecond
    self.outPerSecond = outPerSecond
    self.periods = periods
  }
}

/// Items by state.
package struct Depths {
  package var ready = PerPriority(all: 0)
  package var claimed = PerPriority(all: 0)
  package var later = PerPriority(all: 0)
  package var dead = PerPriority(all: 0)
  package var done = PerPriority(all: 0)
  /// Items lost to damage.
  package var lost = PerPriority(all: 0)

  package init() {}

  /// By the name of the state.
  package var named: [(name: String, items: PerPriority<Int>)] {
    [
      ("ready", ready), ("claimed", claimed), ("later", later), ("dead", dead), ("done", done),
      ("lost", lost),
    ]
  }

  /// The same for people: lost items appear only if there are any.
  package var shown: [(name: String, items: PerPriority<Int>)] {
    named.filter { $0.name != "lost" || $0.items.sum > 0 }
  }
}

/// Waiting items, ready or later, by age.
package struct AgeTable {
  /// Seconds, each twice the one before. Column k counts ages below bound k and not below the bound
  /// before it.
  package var bounds: [Double]
  /// One more than there are bounds: the last is for older items.
  package var counts: PerPriority<[Int]>

  package init(bounds: [Double], counts: PerPriority<[Int]>) {
    self.bounds = bounds
    self.counts = counts
  }

  /// Nine bounds, from one second, one minute or one hour on, as the oldest age requires.
  package static func bounds(upTo oldest: Double) -> [Double] {
    let unit = [1, 60].first { oldest < $0 * 512 } ?? 3600.0
    return (0..<9).map { unit * Double(1 << $0) }
  }
}

/// Totals that only grow.
package struct Counters {
  /// Entries stored.
  package var ingestedRows = 0
  /// Their items.
  package var acceptedItems = 0
  /// Lines rejected.
  package var failedValidations = 0
  /// Accepted lines that were not stored.
  package var ingestionErrors = 0

  package init() {}
}

/// A part of the recent past, in sums alone, because a report has many of these.
package struct Period {
  package var start: Instant
  package var seconds: Double
  /// Items that arrived.
  package var accepted: Int
  /// Items that were done.
  package var acknowledged = 0
  /// Batches that were done, and those that failed.
  package var batches = 0
  package var failures = 0
  /// The total service time of the done batches, in seconds.
  package var service = 0.0

  package init(start: Instant, seconds: Double, accepted: Int) {
    self.start = start
    self.seconds = seconds
    self.accepted = accepted
  }

  /// For a done batch.
  package var meanService: Double? { batches > 0 ? service / Double(batches) : nil }
}

/// What was settled in a period.
package struct Activity {
  /// For each acknowledged item: accepted until claimed.
  package var wait = Latency()
  /// For each acknowledged item: claimed until settled.
  package var service = Latency()
  /// For each acknowledged item: accepted until settled.
  package var total = Latency()
  /// For each acknowledged batch: claimed until settled.
  package var batches = Latency()
  /// For each failed batch: claimed until settled.
  package var failures = Latency()
  /// Items.
  package var acknowledged = 0
  package var retried = 0
  package var buried = 0
  /// When the first and the last of them were settled.
  package var first: Instant?
  package var last: Instant?

  package init() {}
}

/// The stages of an item's way through the queue.
package enum Stage: String, CaseIterable, Sendable {
  /// Accepted until claimed.
  case wait
  /// Claimed until settled.
  case service
  /// Accepted until settled.
  case total
}

extension Activity {
  package func latency(of stage: Stage) -> Latency {
    switch stage {
    case .wait: wait
    case .service: service
    case .total: total
    }
  }
}

extension Latency {
  /// The percentiles shown with every distribution.
  static let percentiles: [(name: String, percentile: Double)] = [
    ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9),
  ]
}

/// The share of settled items that are done.
package struct Success {
  package let acknowledged: Int
  /// Retried and buried.
  package let failed: Int
  /// From 0 to 1; nil if nothing was settled, as are both bounds.
  package let ratio: Double?
  /// Wilson's 95 % interval.
  package let low: Double?
  package let high: Double?

  package init(acknowledged: Int, failed: Int) {
    self.acknowledged = max(0, acknowledged)
    self.failed = max(0, failed)
    let proportion = Proportion(part: acknowledged, rest: failed)
    ratio = proportion.ratio
    low = proportion.interval?.low
    high = proportion.interval?.high
  }
}

extension Activity {
  package var success: Success {
    let failed = retried.addingReportingOverflow(buried)
    return Success(
      acknowledged: acknowledged, failed: failed.overflow ? .max : failed.partialValue)
  }
}

/// One value for each of the three priorities.
package struct PerPriority<Value> {
  package var high: Value
  package var medium: Value
  package var low: Value

  package init(high: Value, medium: Value, low: Value) {
    self.high = high
    self.medium = medium
    self.low = low
  }

  package init(all value: Value) { self.init(high: value, medium: value, low: value) }

  /// The values with their names, highest priority first.
  package var named: [(name: String, value: Value)] {
    [("HIGH", high), ("MEDIUM", medium), ("LOW", low)]
  }

  package func map<Other>(_ transform: (Value) -> Other) -> PerPriority<Other> {
    PerPriority<Other>(high: transform(high), medium: transform(medium), low: transform(low))
  }
}

extension PerPriority where Value == Int {
  package var sum: Int { high &+ medium &+ low }
}
