internal import Glibc

/// The regularised incomplete beta function I_x(a, b).
enum IncompleteBeta {
  /// `y` is 1 − x, passed separately so that neither loses its digits near 0. Nil outside 0 < a, b
  /// and 0 ≤ x ≤ 1. Accurate to about 10⁻¹⁰ of the value for a and b up to 10⁶.
  static func value(x: Double, y: Double, a: Double, b: Double) -> Double? {
    guard a > 0, b > 0, a.isFinite, b.isFinite, x >= 0, y >= 0, x <= 1, y <= 1 else { return nil }
    if x == 0 { return 0 }
    if y == 0 { return 1 }
    // The fraction converges fast on this side of the mean; DLMF 8.17.4 gives the other.
    if x > (a + 1) / (a + b + 2) {
      return min(1, max(0, 1 - front(y, x, b, a) * fraction(y, b, a)))
    }
    return min(1, max(0, front(x, y, a, b) * fraction(x, a, b)))
  }

  /// x^a · y^b / (a · B(a, b)).
  private static func front(_ x: Double, _ y: Double, _ a: Double, _ b: Double) -> Double {
    var sign: Int32 = 0
    let beta = lgamma_r(a, &sign) + lgamma_r(b, &sign) - lgamma_r(a + b, &sign)
    return exp(a * log(x) + b * log(y) - beta) / a
  }

  /// The continued fraction DLMF 8.17.22 (NIST Digital Library of Mathematical Functions) by the
  /// modified method of Lentz: Thompson and Barnett, J. Comput. Phys. 64 (1986), pp. 490–509. The
  /// bound on its steps only stops a fraction that does not converge.
  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    var c = 1.0
    var d = 1 / nonZero(1 - (a + b) * x / (a + 1))
    var result = d
    for step in 1...10_000 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / nonZero(1 + even * d)
      c = nonZero(1 + even / c)
      result *= c * d
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / nonZero(1 + odd * d)
      c = nonZero(1 + odd / c)
      result *= c * d
      if abs(c * d - 1) < 1e-15 { break }
    }
    return result
  }

  private static func nonZero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
}

/// The standard normal distribution.
enum Normal {
  /// The two-sided probability of a value at least as far from 0 as `z`. Nil for NaN.
  static func twoSided(_ z: Double) -> Double? {
    z.isNaN ? nil : erfc(abs(z) / 2.0.squareRoot())
  }
}

/// Student's t distribution.
struct StudentT {
  /// Degrees of freedom, above 0; not necessarily whole.
  let freedom: Double

  init?(freedom: Double) {
    guard freedom > 0 else { return nil }
    self.freedom = freedom
  }

  /// The two-sided probability of a value at least as far from 0 as `t`: I_x(ν/2, 1/2) with
  /// x = ν/(ν + t²); Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.1.
  func twoSided(_ t: Double) -> Double? {
    guard !t.isNaN else { return nil }
    let square = t * t
    guard square.isFinite else { return 0 }
    // Above that, the beta function is slow and loses digits, and 26.7.8 is as good.
    guard freedom < 1e6 else {
      let ratio = freedom.isFinite ? square / freedom : 0
      let shrink = freedom.isFinite ? 1 - 1 / (4 * freedom) : 1
      return Normal.twoSided(abs(t) * shrink / (1 + ratio / 2).squareRoot())
    }
    let sum = freedom + square
    return IncompleteBeta.value(x: freedom / sum, y: square / sum, a: freedom / 2, b: 0.5)
  }

  /// The value with 2.5 % above it: the root of `twoSided` = 5 %.
  var quantile: Double { root(near: 2) { (twoSided($0) ?? 0) > 0.05 } }
}

/// The number, from 0 on, at which `isBefore` changes from true to false: found by doubling `first`
/// until it does, and then by bisection, to 13 digits.
func root(near first: Double, _ isBefore: (Double) -> Bool) -> Double {
  var low = 0.0
  var high = first
  while isBefore(high), high < 1e300 { (low, high) = (high, high * 2) }
  for _ in 0..<100 where high - low > 1e-13 * high {
    let middle = (low + high) / 2
    if isBefore(middle) { low = middle } else { high = middle }
  }
  return (low + high) / 2
}
