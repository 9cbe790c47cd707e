import PipeStats

extension Activity {
  /// Batches of `items` items each, with these service times in microseconds.
  static func of(_ times: [Int], items: Int = 1, failures: [Int] = []) -> Activity {
    var activity = Activity()
    for time in times {
      activity.batches.record(time)
      activity.service.record(time, count: items)
      activity.wait.record(1000, count: items)
      activity.total.record(time + 1000, count: items)
      activity.acknowledged += items
    }
    for time in failures {
      activity.failures.record(time)
      activity.retried += items
    }
    return activity
  }
}

/// Scattered times between bounds, the same in each run.
func scattered(_ count: Int, _ times: ClosedRange<Int>, seed: UInt64 = 7) -> [Int] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return times.lowerBound + Int(state >> 33) % times.count
  }
}
