internal import Glibc

/// The standard normal distribution.
enum Normal {
  /// The probability of a value as far from 0 as this one, on either side. Nil for no number.
  static func twoSided(_ z: Double) -> Double? {
    z.isNaN ? nil : erfc(abs(z) / 2.0.squareRoot())
  }
}
