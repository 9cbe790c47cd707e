/// `1 item`, `2 items`.
package func counted(_ number: Int, _ noun: String) -> String {
  "\(number) \(noun)" + (number == 1 ? "" : "s")
}

/// Seconds for JSON, to the millisecond: `5.0`, `0.125`.
package func seconds(_ microseconds: Int64) -> String {
  let rounded = (microseconds + 500) / 1000
  let text = "\(rounded / 1000)." + String(String(1000 + rounded % 1000).dropFirst())
  var digits = Substring(text)
  while digits.hasSuffix("0"), !digits.hasSuffix(".0") { digits.removeLast() }
  return String(digits)
}
