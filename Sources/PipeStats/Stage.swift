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
