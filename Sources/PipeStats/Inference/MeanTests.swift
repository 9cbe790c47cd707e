/// The figures of a sample that a test of means needs.
package struct Sample: Equatable {
  package let count: Double
  package let mean: Double
  /// The sample variance, with n − 1.
  package let variance: Double

  /// Nil below two values, and if a figure is not finite.
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

/// Welch's test whether two means differ, which does not require equal variances: "The
/// generalization of 'Student's' problem when several different population variances are involved",
/// Biometrika 34 (1947), pp. 28–35.
package struct Welch: Equatable {
  /// The second mean minus the first, in units of its standard error.
  package let t: Double
  /// Degrees of freedom: Satterthwaite, "An approximate distribution of estimates of variance
  /// components", Biometrics Bulletin 2 (1946), pp. 110–114, equation 17.
  package let freedom: Double
  /// For the hypothesis that the means are equal, two-sided.
  package let p: Double
  package let difference: Double
  /// For the difference, 95 %.
  package let interval: Interval

  /// Nil if neither sample varies.
  package init?(_ first: Sample, _ second: Sample) {
    let error = first.error + second.error
    guard error > 0, error.isFinite else { return nil }
    let (one, two) = (first.error / error, second.error / error)
    freedom = 1 / (one * one / (first.count - 1) + two * two / (second.count - 1))
    difference = second.mean - first.mean
    t = difference / error.squareRoot()
    guard let student = StudentT(freedom: freedom), let p = student.twoSided(t) else { return nil }
    self.p = p
    let half = student.quantile * error.squareRoot()
    interval = Interval(low: difference - half, high: difference + half)
  }
}

/// The Mann-Whitney test whether the values of one sample tend to be greater: "On a test of whether
/// one of two random variables is stochastically larger than the other", Ann. Math. Statist. 18
/// (1947), pp. 50–60. Normal approximation with the correction for ties (Hollander and Wolfe,
/// Nonparametric Statistical Methods (1999), section 4.1) and one for continuity, as SciPy's
/// mannwhitneyu(method="asymptotic").
package struct MannWhitney: Equatable {
  /// The number of pairs with the greater value in the first sample; ties count half.
  package let u: Double
  /// For the hypothesis that both samples come from one distribution, two-sided.
  package let p: Double
  /// From 0 to 1: the probability that a value of the second sample is below one of the first.
  package let below: Double

  /// Each sample: ascending values with their counts; counts below 1 are ignored. Nil if either
  /// sample is empty. The work is one step per value, however often it occurs.
  package init?(_ first: [(value: Double, count: Int)], _ second: [(value: Double, count: Int)]) {
    var pairs = Pairs()
    pairs.merge(first.filter { $0.count > 0 }, second.filter { $0.count > 0 })
    let (one, two) = (pairs.first, pairs.second)
    guard one > 0, two > 0 else { return nil }
    u = pairs.greater
    below = u / one / two
    let all = one + two
    let variance = one * two / 12 * (all + 1 - pairs.ties / all / (all - 1))
    let distance = abs(u - one * two / 2) - 0.5
    // If all values are equal, there is no difference.
    let z = variance > 0 ? max(0, distance) / variance.squareRoot() : 0
    p = Normal.twoSided(z) ?? 1
  }

  private struct Pairs {
    var first = 0.0
    var second = 0.0
    var greater = 0.0
    /// The sum of t³ − t over groups of t equal values.
    var ties = 0.0

    mutating func merge(
      _ ones: [(value: Double, count: Int)], _ twos: [(value: Double, count: Int)]
    ) {
      var (i, j) = (0, 0)
      while i < ones.count || j < twos.count {
        let takesFirst = j >= twos.count || i < ones.count && ones[i].value <= twos[j].value
        let takesSecond = i >= ones.count || j < twos.count && !(ones[i].value < twos[j].value)
        let one = takesFirst ? Double(ones[i].count) : 0
        let two = takesSecond ? Double(twos[j].count) : 0
        // NaN is neither less nor equal, and takes the second: each step takes a value.
        greater += one * (second + two / 2)
        ties += tied(one + two)
        first += one
        second += two
        i += takesFirst ? 1 : 0
        j += takesSecond ? 1 : 0
      }
    }

    private func tied(_ count: Double) -> Double { count * (count * count - 1) }
  }
}

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
