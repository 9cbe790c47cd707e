internal import Glibc

/// A finite number rounded to some significant digits: 0.d₁d₂d₃… × 10^point. Zero has one digit, 0.
package struct Decimal {
  package let isNegative: Bool
  /// Without zeros at the end, except for zero itself.
  package let digits: String
  package let point: Int

  /// Nil if the value is not finite. Keeps 1 to 17 digits.
  package init?(_ value: Double, digits count: Int) {
    guard value.isFinite else { return nil }
    let text = printed("%.*e", min(17, max(1, count)) - 1, abs(value))
    let parts = text.split(separator: "e")
    guard parts.count == 2, let exponent = Int(parts[1]) else { return nil }
    self.init(parts[0].filter { $0 != "." }, exponent, isNegative: value < 0)
  }

  /// The fewest digits that are read back as this double and no other.
  package init?(shortest value: Double) {
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
  package var plain: String {
    sign + (point > 0 ? before + "." + behind : "0." + zeros(-point) + digits)
  }

  private var before: String { digits.prefix(point) + zeros(point - digits.count) }

  private var behind: String { point < digits.count ? String(digits.dropFirst(point)) : "0" }

  private var sign: String { isNegative ? "-" : "" }

  private func zeros(_ count: Int) -> String { String(repeating: "0", count: max(0, count)) }

  /// With an exponent: `1.25e-30`.
  package var scientific: String {
    let rest = digits.count > 1 ? "." + digits.dropFirst() : ""
    return sign + digits.prefix(1) + rest + "e\(point - 1)"
  }
}

/// With `places` digits after the point: `12.10`.
package func fixed(_ value: Double, _ places: Int) -> String {
  value.isFinite ? printed("%.*f", min(17, max(0, places)), value) : "-"
}

/// One number as C formats it. There is room for the longest, with 309 digits before the point.
private func printed(_ format: String, _ precision: Int, _ value: Double) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
    let length = withVaList([Int32(precision), value]) {
      vsnprintf(buffer.baseAddress, buffer.count, format, $0)
    }
    let bytes = buffer.prefix(min(buffer.count - 1, max(0, Int(length))))
    return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A duration for people: `812 us`, `3.41 ms`, `12.1 s`, `4 min 10 s`, `2 h 5 min`, `29 d 23 h`.
package func span(_ seconds: Double?) -> String {
  guard let seconds, seconds.isFinite, seconds >= 59.95 else { return small(seconds) }
  let whole = Int(min(seconds.rounded(), 1e15))
  if whole < 3600 { return pair(whole / 60, "min", whole % 60, "s") }
  let minutes = (whole + 30) / 60
  if minutes < 1440 { return pair(minutes / 60, "h", minutes % 60, "min") }
  let hours = (minutes + 30) / 60
  return pair(hours / 24, "d", hours % 24, "h")
}

/// The same to the second: `2 s`, `4 min 10 s`.
package func age(_ seconds: Double) -> String {
  let whole = max(0, seconds.rounded())
  return whole < 60 ? "\(Int(whole)) s" : span(whole)
}

// Shows a whole number of microseconds exactly.
private func small(_ seconds: Double?) -> String {
  guard let seconds, (0..<0.001).contains(seconds) else { return inUnits(seconds) }
  let microseconds = (seconds * 1e6).rounded()
  let isWhole = abs(seconds * 1e6 - microseconds) < 1e-6
  return isWhole ? "\(Int(microseconds)) us" : inUnits(seconds)
}

private func pair(_ large: Int, _ unit: String, _ small: Int, _ part: String) -> String {
  "\(large) \(unit)" + (small == 0 ? "" : " \(small) \(part)")
}

/// A number of items with all digits: `12,345,678`; without commas from 10¹² on.
package func whole(_ count: Int) -> String {
  let digits = Array("\(count.magnitude)")
  guard digits.count <= 12 else { return "\(count)" }
  let grouped = digits.enumerated().map { place, digit in
    place > 0 && (digits.count - place) % 3 == 0 ? ",\(digit)" : "\(digit)"
  }
  return (count < 0 ? "-" : "") + grouped.joined()
}

/// A number of items in at most five columns: `99999`, `123k`, `1.23M`, `45.6G`, `789T`.
package func short(_ count: Int) -> String {
  guard count > 99_999 else { return "\(count)" }
  let unit = multiples.first { Double(count) >= $0.size * 0.9995 } ?? ("k", 1e3)
  return threeDigits(Double(count) / unit.size) + unit.name
}

/// Largest first.
package let multiples: [(name: String, size: Double)] = [
  ("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3),
]

/// A rate of items, in the unit that makes it readable: `2.02 items/s`, `3.00 items/h`. `beside`:
/// another rate, which must have the same unit. `noun`: with a space before it, or nothing.
package func pace(
  _ perSecond: Double?, _ noun: String = " items", beside other: Double? = nil
) -> String {
  guard let perSecond, perSecond.isFinite else { return "-" }
  let largest = max(perSecond, other ?? 0)
  let units: [(name: String, seconds: Double)] = [("s", 1), ("min", 60), ("h", 3600)]
  let unit = units.first { largest <= 0 || largest * $0.seconds >= 0.9995 } ?? ("d", 86_400)
  return amount(perSecond * unit.seconds) + "\(noun)/\(unit.name)"
}

private func amount(_ value: Double) -> String {
  value >= 999.5 && value < 1e15 ? whole(Int(value.rounded())) : threeDigits(value)
}

/// A share in percent. Only all and nothing are `100 %` and `0 %`: other shares are from 0.01 to
/// 99.99.
package func inPercent(_ ratio: Double?) -> String {
  guard let ratio, ratio.isFinite else { return "-" }
  if ratio <= 0 { return "0 %" }
  if ratio >= 1 { return "100 %" }
  return fixed(min(99.99, max(0.01, ratio * 100)), 2) + " %"
}

/// A time in seconds with three significant digits, in a suitable unit: `812 us`, `3.41 ms`,
/// `12.0 s`, `4.17 min`, `2.08 h`, `30.0 d`.
package func inUnits(_ seconds: Double?) -> String {
  guard let seconds, seconds.isFinite else { return "-" }
  if abs(seconds) < 1e-9 { return "0 us" }
  let units: [(name: String, seconds: Double)] = [
    ("d", 86_400), ("h", 3600), ("min", 60), ("s", 1), ("ms", 1e-3), ("us", 1e-6),
  ]
  // A value that would be rounded up to the next unit uses that unit: 999.6 ms is 1.00 s.
  let unit = units.first { abs(seconds) >= $0.seconds * 0.9995 } ?? units[units.count - 1]
  return threeDigits(seconds / unit.seconds) + " " + unit.name
}

/// Three significant digits, or all digits before the point: `0.0123`, `1.23`, `12.3`, `123`,
/// `1234`; `1.23e12`.
package func threeDigits(_ value: Double) -> String {
  guard value.isFinite, value != 0, let decimal = Decimal(value, digits: 3) else { return "0" }
  return (-5...9).contains(decimal.point) ? fixed(value, 3 - decimal.point) : decimal.scientific
}

extension String {
  /// Padded on the left to `columns`.
  package func right(_ columns: Int) -> String {
    String(repeating: " ", count: Swift.max(0, columns - self.columns)) + self
  }

  /// Without the spaces at its end.
  package var trimmed: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  /// Padded on the right to `columns`.
  package func left(_ columns: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, columns - self.columns))
  }
}

/// `p < 0.001`, or p with two significant digits: `p = 0.041`.
package func said(_ p: Double) -> String {
  guard p >= 0.001 else { return p.isNaN ? "p unknown" : "p < 0.001" }
  return "p = " + fixed(p, 2 - (Decimal(p, digits: 2)?.point ?? 1))
}

/// A fraction of 1 as a percentage: `12.1 %`; with three significant digits if one decimal would
/// show none, or very many.
package func percent(_ part: Double) -> String {
  let value = part * 100
  let isPlain = value == 0 || (0.1...1e6).contains(abs(value))
  return (isPlain ? fixed(value, 1) : threeDigits(value)) + " %"
}
