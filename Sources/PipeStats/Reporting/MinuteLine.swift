/// A minute of the past, and how long the items took that were done in it.
package struct Minute {
  package let period: Period
  /// Items.
  package let failed: Int
  /// Of each acknowledged item: accepted until settled.
  package let total: Latency

  package init(_ period: Period, failed: Int, total: Latency) {
    self.period = period
    self.failed = failed
    self.total = total
  }

  /// As JSON, in items and seconds.
  package var line: String {
    object([
      ("start", quoted(UTC(period.start).internet)), ("seconds", number(period.seconds)),
      ("accepted", "\(period.accepted)"), ("acknowledged", "\(period.acknowledged)"),
      ("failed", "\(failed)"), ("count", "\(total.count)"), ("p50", number(total.percentile(50))),
      ("p99", number(total.percentile(99))),
    ])
  }
}
