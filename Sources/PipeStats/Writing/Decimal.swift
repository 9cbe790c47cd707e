internal import Glibc

/// A finite number rounded to some significant digits: 0.d₁d₂d₃… × 10^point. Zero has the one digit 0.
struct Decimal {
  let isNegative: Bool
  /// Without zeros at the end, but for zero itself.
  let digits: String
  let point: Int

  /// Nil for what is not finite. Keeps from 1 to 17 digits.
  init?(_ value: Double, digits count: Int) {
    guard value.isFinite else { return nil }
    let text = printed("%.*e", min(17, max(1, count)) - 1, abs(value))
    let parts = text.split(separator: "e")
    guard parts.count == 2, let exponent = Int(parts[1]) else { return nil }
    self.init(parts[0].filter { $0 != "." }, exponent, isNegative: value < 0)
  }

  /// The fewest digits that no other double is read from.
  init?(shortest value: Double) {
    guard
      let found = (1...17).lazy.compactMap({ Decimal(value, digits: $0) })
        .first(where: { strtod($0.scientific, nil) == value })
    else { return nil }
    self = found
  }

  private init(_ printed: String, _ exponent: Int, isNegative: Bool) {
    var digits = printed
    while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
    self.isNegative = isNegative
    self.digits = digits
    point = exponent + 1
  }

  /// Without an exponent; a whole number ends in `.0`.
  var plain: String {
    sign + (point > 0 ? before + "." + behind : "0." + zeros(-point) + digits)
  }

  private var before: String { digits.prefix(point) + zeros(point - digits.count) }

  private var behind: String { point < digits.count ? String(digits.dropFirst(point)) : "0" }

  private var sign: String { isNegative ? "-" : "" }

  private func zeros(_ count: Int) -> String { String(repeating: "0", count: max(0, count)) }

  /// With an exponent: `1.25e-30`.
  var scientific: String {
    let rest = digits.count > 1 ? "." + digits.dropFirst() : ""
    return sign + digits.prefix(1) + rest + "e\(point - 1)"
  }
}

/// With that many digits behind the point: `12.10`.
func fixed(_ value: Double, _ places: Int) -> String {
  value.isFinite ? printed("%.*f", min(17, max(0, places)), value) : "-"
}

/// What C prints for one number. The longest, of 309 digits before the point, has room.
private func printed(_ format: String, _ precision: Int, _ value: Double) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
    let length = withVaList([Int32(precision), value]) {
      vsnprintf(buffer.baseAddress, buffer.count, format, $0)
    }
    let bytes = buffer.prefix(min(buffer.count - 1, max(0, Int(length))))
    return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
