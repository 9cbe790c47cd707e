extension Report {
  /// Which past is told: `in the last 10 min`, or `since 2026-11-20 08:00 UTC (15 min 2 s)`.
  var windowTitle: String {
    guard let since else { return began.map { "since \($0)" } ?? "ever" }
    let asked = "in the last \(span(since))"
    // Less than was asked for is there: the queue is younger, or what was older is pruned.
    guard let seconds, seconds < since * 0.99, let began else { return asked }
    return asked + ", that is since \(began)"
  }

  private var began: String? {
    guard let start, let seconds, seconds.isFinite else { return nil }
    return "\(UTC(start).minute) (\(span(seconds)))"
  }
}
