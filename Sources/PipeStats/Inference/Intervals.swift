/// A 95 % confidence interval.
package struct Interval: Equatable {
  package let low: Double
  package let high: Double

  /// The quantile of the standard normal distribution that leaves 2.5 % above it.
  static let z = 1.959_963_984_540_054
}

/// A proportion: the part and the whole, counted.
package struct Proportion {
  package let part: Double
  package let whole: Double

  /// Negative counts count as zero. Each count may be `Int.max`, since their sum is a `Double`.
  package init(part: Int, rest: Int) {
    self.part = Double(max(0, part))
    whole = self.part + Double(max(0, rest))
  }

  /// Nil if nothing was counted.
  package var ratio: Double? { whole > 0 ? part / whole : nil }

  /// The score interval, 95 %: Wilson, "Probable inference, the law of succession, and statistical
  /// inference", J. Amer. Statist. Assoc. 22 (1927), pp. 209–212. Unlike p ± z·√(p(1−p)/n), it
  /// holds for small counts and for ratios of 0 and 1. Nil if nothing was counted.
  package var interval: Interval? {
    guard let ratio else { return nil }
    let square = Interval.z * Interval.z / whole
    let centre = (ratio + square / 2) / (1 + square)
    let spread = (ratio * (1 - ratio) / whole * (Interval.z * Interval.z) + square * square / 4)
    let half = spread.squareRoot() / (1 + square)
    return Interval(
      low: max(0, centre - half), high: part == whole ? 1 : min(1, centre + half))
  }
}

/// The difference of two independent proportions, the second minus the first.
package struct RatioDifference: Equatable {
  package let difference: Double
  /// 95 %, from the score intervals of both: Newcombe, "Interval estimation for the difference
  /// between independent proportions: comparison of eleven methods", Statistics in Medicine 17
  /// (1998), pp. 873–890, method 10.
  package let interval: Interval
  /// For the hypothesis that the proportions are equal, two-sided, with the pooled variance:
  /// Pearson's χ² with one degree of freedom (Phil. Mag. 50 (1900), pp. 157–175), not corrected for
  /// continuity.
  package let p: Double

  /// Nil if either counted nothing.
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
