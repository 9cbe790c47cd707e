/// Student's t distribution.
struct StudentT {
  /// Degrees of freedom, above 0; they need not be whole.
  let freedom: Double

  init?(freedom: Double) {
    guard freedom > 0 else { return nil }
    self.freedom = freedom
  }

  /// The probability of a value as far from 0 as this one, on either side: I_x(ν/2, 1/2) with
  /// x = ν/(ν + t²); Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.1.
  func twoSided(_ t: Double) -> Double? {
    guard !t.isNaN else { return nil }
    let square = t * t
    guard square.isFinite else { return 0 }
    // There the beta function is slow and loses digits, and 26.7.8 is as good.
    guard freedom < 1e6 else {
      let ratio = freedom.isFinite ? square / freedom : 0
      let shrink = freedom.isFinite ? 1 - 1 / (4 * freedom) : 1
      return Normal.twoSided(abs(t) * shrink / (1 + ratio / 2).squareRoot())
    }
    let sum = freedom + square
    return IncompleteBeta.value(x: freedom / sum, y: square / sum, a: freedom / 2, b: 0.5)
  }

  /// The value that 2.5 % lie above: the root of `twoSided` = 5 %.
  var quantile: Double { root(near: 2) { (twoSided($0) ?? 0) > 0.05 } }
}
