internal import PipeJSON
internal import PipeText

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
