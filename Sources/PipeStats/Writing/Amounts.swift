/// A time for people: `812 us`, `3.41 ms`, `12.1 s`, `4 min 10 s`, `2 h 5 min`, `29 d 23 h`.
func span(_ seconds: Double?) -> String {
  guard let seconds, seconds.isFinite, seconds >= 59.95 else { return small(seconds) }
  let whole = Int(min(seconds.rounded(), 1e15))
  if whole < 3600 { return pair(whole / 60, "min", whole % 60, "s") }
  let minutes = (whole + 30) / 60
  if minutes < 1440 { return pair(minutes / 60, "h", minutes % 60, "min") }
  let hours = (minutes + 30) / 60
  return pair(hours / 24, "d", hours % 24, "h")
}

// A whole number of microseconds is exact.
private func small(_ seconds: Double?) -> String {
  guard let seconds, (0..<0.001).contains(seconds) else { return inUnits(seconds) }
  let microseconds = (seconds * 1e6).rounded()
  let isWhole = abs(seconds * 1e6 - microseconds) < 1e-6
  return isWhole ? "\(Int(microseconds)) us" : inUnits(seconds)
}

private func pair(_ large: Int, _ unit: String, _ small: Int, _ part: String) -> String {
  "\(large) \(unit)" + (small == 0 ? "" : " \(small) \(part)")
}

/// A number of items, all digits: `12,345,678`. From 10¹² without commas.
func whole(_ count: Int) -> String {
  let digits = Array("\(count.magnitude)")
  guard digits.count <= 12 else { return "\(count)" }
  let grouped = digits.enumerated().map { place, digit in
    place > 0 && (digits.count - place) % 3 == 0 ? ",\(digit)" : "\(digit)"
  }
  return (count < 0 ? "-" : "") + grouped.joined()
}

/// A number of items in five columns: `99999`, `123k`, `1.23M`, `45.6G`, `789T`.
func short(_ count: Int) -> String {
  guard count > 99_999 else { return "\(count)" }
  let unit = multiples.first { Double(count) >= $0.size * 0.9995 } ?? ("k", 1e3)
  return threeDigits(Double(count) / unit.size) + unit.name
}

/// The largest first.
let multiples: [(name: String, size: Double)] = [
  ("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3),
]

/// How many items come or go, in the unit that makes it a number for people: `2.02 items/s`, `3.00 items/h`.
/// `beside`: another, that is to have the same unit.
func pace(_ perSecond: Double?, beside other: Double? = nil) -> String {
  guard let perSecond, perSecond.isFinite else { return "-" }
  let largest = max(perSecond, other ?? 0)
  let units: [(name: String, seconds: Double)] = [("s", 1), ("min", 60), ("h", 3600)]
  let unit = units.first { largest <= 0 || largest * $0.seconds >= 0.9995 } ?? ("d", 86_400)
  return amount(perSecond * unit.seconds) + " items/\(unit.name)"
}

private func amount(_ value: Double) -> String {
  value >= 99_999.5 && value < 1e15 ? whole(Int(value.rounded())) : threeDigits(value)
}

/// A share in percent. Never `100.00 %` or `0.00 %` of what is not all or nothing.
func inPercent(_ ratio: Double?) -> String {
  guard let ratio, ratio.isFinite else { return "-" }
  if ratio <= 0 { return "0 %" }
  if ratio >= 1 { return "100 %" }
  return fixed(min(99.99, max(0.01, ratio * 100)), 2) + " %"
}
