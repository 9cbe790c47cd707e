/// A queue at one instant, and what happened in it before.
package struct Report {
  /// Microseconds since the epoch.
  package var at: Int64
  package var depths: Depths
  /// Seconds; nil where nothing is ready.
  package var oldestReady: PerPriority<Double?>
  package var ages: AgeTable
  /// Seconds of the window that was asked for; nil: all that is kept.
  package var since: Double?
  /// When that window begins, microseconds since the epoch, and how long it is: until now, or without `since`
  /// until the last thing that happened. nil when nothing happened in it.
  package var start: Int64?
  package var seconds: Double?
  /// Of the window.
  package var activity: Activity
  /// Since the queue began. Only grows.
  package var ever: Activity
  package var counters: Counters
  /// Items; nil where nothing can be told.
  package var inPerSecond: Double?
  package var outPerSecond: Double?
  /// The last hour, minute by minute, the oldest first; empty unless a picture was asked for.
  package var periods: [Period]

  package init(
    at: Int64, depths: Depths, oldestReady: PerPriority<Double?>, ages: AgeTable,
    since: Double? = nil, start: Int64? = nil, seconds: Double? = nil,
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
  /// Items that damage took.
  package var lost = PerPriority(all: 0)

  package init() {}

  /// By the words of the states.
  package var named: [(name: String, items: PerPriority<Int>)] {
    [
      ("ready", ready), ("claimed", claimed), ("later", later), ("dead", dead), ("done", done),
      ("lost", lost),
    ]
  }

  /// The same for people: of what is lost nothing where nothing is.
  package var shown: [(name: String, items: PerPriority<Int>)] {
    named.filter { $0.name != "lost" || $0.items.sum > 0 }
  }
}

/// Items that wait, ready or for later, by how long they have.
package struct AgeTable {
  /// Seconds, each twice the one before. Column k is younger than bound k and not than the one before.
  package var bounds: [Double]
  /// One more than there are bounds: the last is for the older ones.
  package var counts: PerPriority<[Int]>

  package init(bounds: [Double], counts: PerPriority<[Int]>) {
    self.bounds = bounds
    self.counts = counts
  }

  /// Nine, of which the longest fits an age: from a second, a minute or an hour on.
  package static func bounds(upTo oldest: Double) -> [Double] {
    let unit = [1, 60].first { oldest < $0 * 512 } ?? 3600.0
    return (0..<9).map { unit * Double(1 << $0) }
  }
}

/// They only grow.
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

/// Some of the recent past, in sums alone: there are many of these.
package struct Period {
  /// Microseconds since the epoch.
  package var start: Int64
  package var seconds: Double
  /// Items that came.
  package var accepted: Int
  /// Items that were done.
  package var acknowledged = 0
  /// Batches that were done, and those that failed.
  package var batches = 0
  package var failures = 0
  /// How long all that were done took, in seconds.
  package var service = 0.0

  package init(start: Int64, seconds: Double, accepted: Int) {
    self.start = start
    self.seconds = seconds
    self.accepted = accepted
  }

  /// Of a batch that was done.
  package var meanService: Double? { batches > 0 ? service / Double(batches) : nil }
}

/// What was settled in some time. Times are microseconds since the epoch.
package struct Activity {
  /// Of each acknowledged item: accepted until claimed.
  package var wait = Latency()
  /// Of each acknowledged item: claimed until settled.
  package var service = Latency()
  /// Of each acknowledged item: accepted until settled.
  package var total = Latency()
  /// Claimed until settled, once for each acknowledged batch.
  package var batches = Latency()
  /// The same for each batch that failed.
  package var failures = Latency()
  /// Items.
  package var acknowledged = 0
  package var retried = 0
  package var buried = 0
  /// When the first and the last of them was settled.
  package var first: Int64?
  package var last: Int64?

  package init() {}
}

/// The parts of an item's way through the queue.
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
  /// Those that are told wherever a distribution is.
  static let percentiles: [(name: String, percentile: Double)] = [
    ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9),
  ]
}

/// How much of what was settled was done, in items.
package struct Success {
  package let acknowledged: Int
  /// Retried and buried.
  package let failed: Int
  /// From 0 to 1; nil when nothing was settled, as the two bounds are.
  package let ratio: Double?
  /// The 95 % interval, Wilson's.
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
