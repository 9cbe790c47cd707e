/// What a 95 % confidence interval holds.
package struct Interval: Equatable {
  package let low: Double
  package let high: Double

  /// The quantile of the standard normal distribution that leaves 2.5 % above it.
  static let z = 1.959_963_984_540_054
}
