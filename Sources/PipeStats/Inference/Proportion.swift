/// A part of a whole, counted.
package struct Proportion {
  package let part: Double
  package let whole: Double

  /// Negative counts count as zero. Each may be as large as an `Int` can be, and so their sum.
  package init(part: Int, rest: Int) {
    self.part = Double(max(0, part))
    whole = self.part + Double(max(0, rest))
  }

  /// Nil when nothing was counted.
  package var ratio: Double? { whole > 0 ? part / whole : nil }

  /// The score interval, 95 %: Wilson, "Probable inference, the law of succession, and statistical
  /// inference", J. Amer. Statist. Assoc. 22 (1927), pp. 209–212. Unlike p ± z·√(p(1−p)/n) it is right
  /// for few counts and for ratios of 0 and 1. Nil when nothing was counted.
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
