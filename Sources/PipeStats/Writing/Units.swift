/// A time in seconds to three significant digits, in the unit that suits it: `812 us`, `3.41 ms`, `12.0 s`,
/// `4.17 min`, `2.08 h`, `30.0 d`.
func inUnits(_ seconds: Double?) -> String {
  guard let seconds, seconds.isFinite else { return "-" }
  if abs(seconds) < 1e-9 { return "0 us" }
  let units: [(name: String, seconds: Double)] = [
    ("d", 86_400), ("h", 3600), ("min", 60), ("s", 1), ("ms", 1e-3), ("us", 1e-6),
  ]
  // What would be rounded up to the next unit belongs to it: 999.6 ms is 1.00 s.
  let unit = units.first { abs(seconds) >= $0.seconds * 0.9995 } ?? units[units.count - 1]
  return threeDigits(seconds / unit.seconds) + " " + unit.name
}

/// Three significant digits, or all before the point: `0.0123`, `1.23`, `12.3`, `123`, `1234`; `1.23e12`.
func threeDigits(_ value: Double) -> String {
  guard value.isFinite, value != 0, let decimal = Decimal(value, digits: 3) else { return "0" }
  return (-5...9).contains(decimal.point) ? fixed(value, 3 - decimal.point) : decimal.scientific
}

extension String {
  /// Padded on the left to that many columns.
  func right(_ columns: Int) -> String {
    String(repeating: " ", count: Swift.max(0, columns - count)) + self
  }

  /// Without the spaces at its end.
  var trimmed: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  /// Padded on the right to that many columns.
  func left(_ columns: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, columns - count))
  }
}
