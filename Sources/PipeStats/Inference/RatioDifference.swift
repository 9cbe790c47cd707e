/// The difference of two independent proportions, the second less the first.
package struct RatioDifference: Equatable {
  package let difference: Double
  /// 95 %, from the score intervals of both: Newcombe, "Interval estimation for the difference between
  /// independent proportions: comparison of eleven methods", Statistics in Medicine 17 (1998), pp. 873–890,
  /// method 10.
  package let interval: Interval
  /// Of the hypothesis that the proportions are the same, two-sided, by the pooled variance: Pearson's χ² with
  /// one degree of freedom (Phil. Mag. 50 (1900), pp. 157–175), not corrected for continuity.
  package let p: Double

  /// Nil when one of them counted nothing.
  package init?(_ first: Proportion, _ second: Proportion) {
    guard let one = first.ratio, let two = second.ratio, let oneBounds = first.interval,
      let twoBounds = second.interval
    else { return nil }
    difference = two - one
    let down = Self.length(two - twoBounds.low, oneBounds.high - one)
    let up = Self.length(twoBounds.high - two, one - oneBounds.low)
    interval = Interval(low: max(-1, difference - down), high: min(1, difference + up))
    let whole = first.whole + second.whole
    let pooled = (first.part + second.part) / whole
    let rest = (first.whole - first.part + second.whole - second.part) / whole
    let variance = pooled * rest * (1 / first.whole + 1 / second.whole)
    p = variance > 0 ? Normal.twoSided(difference / variance.squareRoot()) ?? 1 : 1
  }

  private static func length(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }
}
