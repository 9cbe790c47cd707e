/// A string as JSON has it.
func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case _ where scalar.value < 0x20:
      let code = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - code.count) + code
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

/// An object of members that are JSON already, in this order.
func object(_ members: [(name: String, value: String)]) -> String {
  "{" + members.map { "\(quoted($0.name)):\($0.value)" }.joined(separator: ",") + "}"
}

/// The same of a literal.
func object(_ members: KeyValuePairs<String, String>) -> String {
  object(members.map { ($0.key, $0.value) })
}

/// An array of values that are JSON already.
func list(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

/// A number as JSON has it, to 6 significant digits or to the unit, whichever is finer. Plain from 10⁻⁹ to
/// 10¹⁵, with an exponent beyond; `null` where there is none, or none that is finite.
func number(_ value: Double?) -> String {
  guard let value, let sixth = Decimal(value, digits: 6) else { return "null" }
  if value == 0 { return "0.0" }
  if sixth.point > 15 || sixth.point < -8 { return sixth.scientific }
  return (sixth.point > 6 ? Decimal(value.rounded(), digits: 17) : sixth)?.plain ?? "null"
}
