internal import PipeTime

/// A distribution of times, recorded in microseconds and read in seconds. Keeps 3 significant
/// digits from 1 µs to 30 days; longer times count as 30 days, negative ones as 0.
package struct Latency {
  /// The values of each class, up to the class of the longest value.
  private var counts: [Int] = []
  package private(set) var count = 0
  // Microseconds; 0 when empty.
  private var longestRecorded = 0

  /// 30 days, in microseconds.
  package static let longest = HistogramBuckets.longest
  /// The most values that are counted: no sum of them overflows.
  private static let most = 1 << 52

  package init() {}

  /// Leaves out values beyond the number that can be counted.
  package mutating func record(_ microseconds: Int, count: Int = 1) {
    guard count > 0, self.count < Latency.most else { return }
    add(count, at: HistogramBuckets.index(of: microseconds))
    longestRecorded = Swift.max(longestRecorded, min(Latency.longest, microseconds))
  }

  package mutating func add(_ other: Latency) {
    for (index, count) in other.counts.enumerated() where count > 0 { add(count, at: index) }
    longestRecorded = Swift.max(longestRecorded, other.longestRecorded)
  }

  private mutating func add(_ count: Int, at index: Int) {
    let count = min(count, Latency.most - self.count)
    if index >= counts.count {
      counts.append(contentsOf: repeatElement(0, count: index + 1 - counts.count))
    }
    counts[index] += count
    self.count += count
  }

  /// Seconds; nil when empty.
  package var mean: Double? { moments?.mean }

  /// The sample variance, in seconds²; nil below two values.
  package var variance: Double? { moments?.variance }

  /// Both at once, in two passes, so that no digits cancel.
  var moments: (mean: Double, variance: Double?)? {
    let values = values
    let count = values.reduce(0) { $0 + Double($1.count) }
    guard count > 0 else { return nil }
    let mean = values.reduce(0) { $0 + $1.seconds * (Double($1.count) / count) }
    guard count > 1 else { return (mean, nil) }
    let squares = values.reduce(0) {
      $0 + ($1.seconds - mean) * ($1.seconds - mean) * Double($1.count)
    }
    return (mean, values.count > 1 ? squares / (count - 1) : 0)
  }

  /// The least value that `percentile` percent of all values do not exceed, in seconds; nil when
  /// empty.
  package func percentile(_ percentile: Double) -> Double? {
    guard percentile < 100 else { return max }
    // One unit in the last place less, so that rounding errors do not reach the next value (HdrHistogram,
    // `getValueAtPercentile`).
    let share = Swift.max(0, percentile.nextDown) * Double(count) / 100
    let rank = Swift.max(1, Int(share.rounded(.up)))
    var passed = 0
    for (index, count) in counts.enumerated() {
      passed += count
      if passed >= rank {
        return Double(min(HistogramBuckets.highest(of: index), longestRecorded)) / 1e6
      }
    }
    return nil
  }

  /// Seconds; nil when empty.
  package var max: Double? { count == 0 ? nil : Double(longestRecorded) / 1e6 }

  /// Ascending; each is the middle of a class of values that are not distinguished.
  package var values: [(seconds: Double, count: Int)] {
    classes.map { (Double($0.middle) / 1e6, $0.count) }
  }

  /// Ascending, in microseconds: the middle and the end of each class in use.
  var classes: [(middle: Int, longest: Int, count: Int)] {
    counts.enumerated().compactMap { index, count in
      count == 0
        ? nil : (HistogramBuckets.middle(of: index), HistogramBuckets.highest(of: index), count)
    }
  }

  /// The number of values that are not above `seconds`.
  package func count(upTo seconds: Double) -> Int {
    guard seconds >= 0 else { return 0 }
    let last = HistogramBuckets.index(of: Int(min(seconds * 1e6, Double(Latency.longest))))
    return counts.prefix(last + 1).reduce(0, +)
  }
}
