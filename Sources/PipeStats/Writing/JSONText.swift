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
