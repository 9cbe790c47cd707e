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
