/// Elements of an SVG document, one a line. All text goes through here and is escaped here.
struct SVG {
  private(set) var lines: [String] = []

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, _ style: String = "", anchor: String = "start"
  ) {
    let kind = style.isEmpty ? "" : " class=\"\(style)\""
    let place = anchor == "start" ? "" : " text-anchor=\"\(anchor)\""
    lines.append(
      "<text x=\"\(short(x))\" y=\"\(short(y))\"\(kind)\(place)>\(SVG.escaped(text))</text>")
  }

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    lines.append(
      "<line x1=\"\(short(x1))\" y1=\"\(short(y1))\" x2=\"\(short(x2))\" y2=\"\(short(y2))\""
        + " class=\"\(style)\"/>")
  }

  /// What is told of it appears where a pointer rests on it.
  mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, told: String
  ) {
    lines.append(
      "<rect x=\"\(short(x))\" y=\"\(short(y))\" width=\"\(short(width))\""
        + " height=\"\(short(height))\" class=\"\(style)\">"
        + "<title>\(SVG.escaped(told))</title></rect>")
  }

  mutating func path(_ points: [(x: Double, y: Double)], _ style: String) {
    let steps = points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(short(point.x)) \(short(point.y))"
    }
    lines.append("<path d=\"\(steps.joined(separator: " "))\" class=\"\(style)\"/>")
  }

  /// To a hundredth of a pixel.
  private func short(_ value: Double) -> String {
    var text = fixed(value, 2)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : text
  }

  /// As XML 1.0 has it, section 2.2: what it cannot hold at all becomes U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case _
      where (scalar.value < 0x20 && !"\t\n\r".unicodeScalars.contains(scalar))
        || scalar.value & 0xFFFE == 0xFFFE && scalar.value <= 0xFFFF:
        result.unicodeScalars.append("\u{FFFD}")
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
