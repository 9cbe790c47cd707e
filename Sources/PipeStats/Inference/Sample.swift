/// What a test of means needs to know of a sample.
package struct Sample: Equatable {
  package let count: Double
  package let mean: Double
  /// Of the sample, with n − 1.
  package let variance: Double

  /// Nil below two values, and where something is no number.
  package init?(count: Double, mean: Double, variance: Double) {
    guard count >= 2, count.isFinite, mean.isFinite, variance.isFinite, variance >= 0 else {
      return nil
    }
    self.count = count
    self.mean = mean
    self.variance = variance
  }

  /// In seconds.
  package init?(_ latency: Latency) {
    guard let moments = latency.moments, let variance = moments.variance else { return nil }
    self.init(count: Double(latency.count), mean: moments.mean, variance: variance)
  }

  /// The squared standard error of the mean.
  var error: Double { variance / count }
}
