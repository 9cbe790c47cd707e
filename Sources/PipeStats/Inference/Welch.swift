/// Welch's test whether two means differ, which needs no equal variances: "The generalization of 'Student's'
/// problem when several different population variances are involved", Biometrika 34 (1947), pp. 28–35.
package struct Welch: Equatable {
  /// The second mean less the first, in units of its standard error.
  package let t: Double
  /// Degrees of freedom: Satterthwaite, "An approximate distribution of estimates of variance components",
  /// Biometrics Bulletin 2 (1946), pp. 110–114, equation 17.
  package let freedom: Double
  /// Of the hypothesis that the means are the same, two-sided.
  package let p: Double
  package let difference: Double
  /// Of the difference, 95 %.
  package let interval: Interval

  /// Nil when neither sample varies.
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
