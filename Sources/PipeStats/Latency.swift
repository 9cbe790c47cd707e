internal import Histogram

/// A distribution of times: recorded in microseconds, asked for in seconds. Keeps 3 significant digits from
/// 1 µs to 30 days; what is longer counts as 30 days, what is negative as 0.
package struct Latency {
  // Made when something is recorded: 270 KB that most of them never need.
  private var histogram: Histogram<UInt64>?

  /// 30 days, in microseconds.
  package static let longest = 2_592_000_000_000

  package init() {}

  package mutating func record(_ microseconds: Int, count: Int = 1) {
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

  package var count: Int { histogram.map { Int($0.totalCount) } ?? 0 }

  /// Seconds; nil when empty.
  package var mean: Double? { histogram.map { $0.mean / 1e6 } }

  /// Of the sample, in seconds²; nil below two values.
  package var variance: Double? {
    guard let histogram, count > 1 else { return nil }
    let deviation = histogram.stdDeviation / 1e6
    return deviation * deviation * Double(count) / Double(count - 1)
  }

  /// The least value that `percentile` percent of all do not exceed, in seconds; nil when empty.
  package func percentile(_ percentile: Double) -> Double? {
    histogram.map { Double($0.valueAtPercentile(percentile)) / 1e6 }
  }

  /// Seconds; nil when empty.
  package var max: Double? { histogram.map { Double($0.max) / 1e6 } }

  /// Ascending; each is the middle of a class of values that are not told apart.
  package var values: [(seconds: Double, count: Int)] {
    histogram?.recordedValues().map {
      (Double(histogram!.medianEquivalentForValue($0.value)) / 1e6, Int($0.count))
    } ?? []
  }

  /// How many were not longer than this.
  package func count(upTo seconds: Double) -> Int {
    guard let histogram, seconds >= 0 else { return 0 }
    return Int(histogram.count(within: 0...UInt64(min(seconds * 1e6, Double(Latency.longest)))))
  }

  /// What HdrHistogram's plotters read. In milliseconds, as they expect.
  package var percentileText: String {
    var text = ""
    let histogram = histogram ?? Histogram(highestTrackableValue: UInt64(Latency.longest))
    histogram.outputPercentileDistribution(to: &text, outputValueUnitScalingRatio: 1000)
    return text
  }
}
