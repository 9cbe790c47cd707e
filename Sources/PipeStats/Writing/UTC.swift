internal import PipeJSON
internal import PipeTime

/// An instant in UTC.
struct UTC {
  /// `2026-11-20`
  let date: String
  /// `08:15:02`
  let time: String

  init(_ instant: Instant) {
    let second = floorDivide(instant.microseconds, by: 1_000_000)
    let day = floorDivide(second, by: 86_400)
    let rest = second - day * 86_400
    let civil = CivilDate(daysSinceEpoch: day)
    date = "\(civil.year)-\(twoDigits(civil.month))-\(twoDigits(civil.day))"
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
}

private func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
