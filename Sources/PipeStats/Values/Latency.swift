internal import Histogram

/// A distribution of times, recorded in microseconds and read in seconds. Keeps 3 significant
/// digits from 1 µs to 30 days; longer times count as 30 days, negative ones as 0.
package struct Latency {
  // Made at the first recording: it takes 270 KB, which most instances never need.
  private var histogram: Histogram<UInt64>?

  /// 30 days, in microseconds.
  package static let longest = 2_592_000_000_000
  /// The most values that are counted: no sum of them overflows.
  private static let most = 1 << 52

  package init() {}

  /// Leaves out values beyond the number that can be counted.
  package mutating func record(_ microseconds: Int, count: Int = 1) {
    let count = min(count, Latency.most - self.count)
    guard count > 0 else { return }
    if histogram == nil {
      histogram = Histogram(
        highestTrackableValue: UInt64(Latency.longest), numberOfSignificantValueDigits: .three)
    }
    histogram!.record(
      UInt64(min(Latency.longest, Swift.max(0, microseconds))), count: UInt64(count))
  }

  package mutating func add(_ other: Latency) {
    guard let theirs = other.histogram else { return }
    if histogram == nil { histogram = theirs } else { histogram!.add(theirs) }
  }

  package var count: Int { histogram.map { Int(clamping: $0.totalCount) } ?? 0 }

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
    histogram.map { Double($0.valueAtPercentile(percentile)) / 1e6 }
  }

  /// Seconds; nil when empty.
  package var max: Double? { histogram.map { Double($0.maxRecorded) / 1e6 } }

  /// Ascending; each is the middle of a class of values that are not distinguished.
  package var values: [(seconds: Double, count: Int)] {
    classes.map { (Double($0.middle) / 1e6, $0.count) }
  }

  /// Ascending, in microseconds: the middle and the end of each class in use.
  var classes: [(middle: UInt64, longest: UInt64, count: Int)] {
    guard let histogram, histogram.totalCount > 0 else { return [] }
    var classes: [(middle: UInt64, longest: UInt64, count: Int)] = []
    var value = histogram.min
    // The histogram's own iterator sums times and traps past 2⁶⁴ µs: ten million items of 21 days.
    while value <= histogram.max {
      let count = Int(clamping: histogram.countForValue(value))
      let middle = histogram.medianEquivalentForValue(value)
      if count > 0 { classes.append((middle, histogram.highestEquivalentForValue(value), count)) }
      value = histogram.nextNonEquivalentForValue(value)
    }
    return classes
  }

  /// The number of values that are not above `seconds`.
  package func count(upTo seconds: Double) -> Int {
    guard let histogram, seconds >= 0 else { return 0 }
    return Int(
      clamping: histogram.count(within: 0...UInt64(min(seconds * 1e6, Double(Latency.longest)))))
  }
}
