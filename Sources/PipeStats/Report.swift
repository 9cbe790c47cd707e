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
