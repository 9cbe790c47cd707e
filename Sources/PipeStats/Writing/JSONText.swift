internal import PipeJSON
internal import PipeText
internal import PipeTime

/// The text as a JSON string.
func quoted(_ text: String) -> String {
  var text = text
  var bytes: [UInt8] = []
  text.withUTF8 { appendJSONString(UnsafeRawBufferPointer($0), to: &bytes) }
  return String(decoding: bytes, as: UTF8.self)
}

/// A JSON object of members that are already JSON, in this order.
func object(_ members: [(name: String, value: String)]) -> String {
  "{" + members.map { "\(quoted($0.name)):\($0.value)" }.joined(separator: ",") + "}"
}

/// The same from a literal.
func object(_ members: KeyValuePairs<String, String>) -> String {
  object(members.map { ($0.key, $0.value) })
}

/// A JSON array of values that are already JSON.
func list(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

/// A JSON number with 6 significant digits or to the unit, whichever is finer. Plain from 10⁻⁹ to
/// 10¹⁵, with an exponent beyond; `null` for nil, and for a value that is not finite.
func number(_ value: Double?) -> String {
  guard let value, let sixth = Decimal(value, digits: 6) else { return "null" }
  if value == 0 { return "0.0" }
  if sixth.point > 15 || sixth.point < -8 { return sixth.scientific }
  return (sixth.point > 6 ? Decimal(value.rounded(), digits: 17) : sixth)?.plain ?? "null"
}

extension String {
  /// With `?` in place of every character that a terminal would obey.
  var plain: String {
    let scalars = unicodeScalars.map { $0.properties.generalCategory.isShown ? $0 : "?" }
    return String(String.UnicodeScalarView(scalars))
  }
}

extension Unicode.GeneralCategory {
  fileprivate var isShown: Bool {
    switch self {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned,
      .privateUse:
      false
    default: true
    }
  }
}

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
