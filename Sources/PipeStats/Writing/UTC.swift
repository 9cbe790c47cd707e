/// An instant in UTC.
struct UTC {
  /// `2026-11-20`
  let date: String
  /// `08:15:02`
  let time: String

  init(_ microseconds: Int64) {
    let second = floorDivide(microseconds, 1_000_000)
    let day = floorDivide(second, 86_400)
    let rest = second - day * 86_400
    date = UTC.date(day)
    time = [rest / 3600, rest % 3600 / 60, rest % 60].map(twoDigits).joined(separator: ":")
  }

  /// `2026-11-20 08:15:02 UTC`
  var text: String { "\(date) \(time) UTC" }

  /// `2026-11-20T08:15:02Z`
  var internet: String { "\(date)T\(time)Z" }

  /// `2026-11-20 08:15 UTC`
  var minute: String { "\(date) \(clock) UTC" }

  /// `08:15`
  var clock: String { String(time.prefix(5)) }

  /// `civil_from_days` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years
  /// begin in March, and an era is 400 years.
  private static func date(_ day: Int64) -> String {
    let shifted = day + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let fromMarch = (5 * dayOfYear + 2) / 153
    let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let dayOfMonth = dayOfYear - (153 * fromMarch + 2) / 5 + 1
    return "\(year)-\(twoDigits(month))-\(twoDigits(dayOfMonth))"
  }
}

private func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
  let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
  return rest < 0 ? quotient - 1 : quotient
}
