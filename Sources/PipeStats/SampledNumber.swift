/// A number as JSON has it: to the digits of a double, or a whole number of 64 bits with all of them.
package struct SampledNumber: Hashable, Comparable, Sendable {
  package let value: Double
  /// How much a whole number is more than `value`; nil for others.
  let rest: Int16?

  package init(_ value: Double) {
    // One zero, whatever its sign.
    self.value = value == 0 ? 0 : value
    rest = nil
  }

  /// Decimal digits, and a minus before them; nil where it is no whole number of 64 bits.
  package init?(whole digits: some StringProtocol) {
    // Short ones are read far faster.
    let short = Int64(digits).map { Int128($0) }
    guard let whole = short ?? Int128(digits), whole.magnitude <= UInt64.max else { return nil }
    value = Double(whole)
    // Two doubles of this size are no more than 2,048 apart.
    rest = Int16(whole - Int128(value))
  }

  package static func < (one: SampledNumber, other: SampledNumber) -> Bool {
    (one.value, one.rest ?? 0) < (other.value, other.rest ?? 0)
  }
}

extension SampledNumber {
  /// The fewest digits that are read back as the same number; a whole one ends in `.0`.
  var text: String {
    if let rest { return "\(Int128(value) + Int128(rest)).0" }
    guard let digits = Decimal(shortest: value) else { return "null" }
    if value == 0 { return "0.0" }
    return digits.point > 17 || digits.point < -8 ? digits.scientific : digits.plain
  }
}
