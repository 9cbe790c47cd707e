internal import PipeText

/// Item latency, and items in and out over the last hour: plain lines that need no colour.
package struct Picture {
  private let report: Report
  private let stage: Stage
  /// Columns of the axis: those that its labels leave.
  private let columns: Int

  private static let margin = 9

  /// `width`: columns per line, at least 40 and at most 200.
  package init(_ report: Report, _ stage: Stage, width: Int = 80) {
    self.report = report
    self.stage = stage
    columns = max(40, min(200, width)) - Picture.margin
  }

  package var text: String {
    (distribution + [""] + throughput).map { $0 + "\n" }.joined()
  }

  private var distribution: [String] {
    let latency = report.activity.latency(of: stage)
    guard let spread = Spread(latency, columns: columns) else {
      return ["\(stage.rawValue): not measured yet"]
    }
    let top = roundedUp((spread.shares.max() ?? 1) * 100)
    let bars = Blocks.lines(spread.shares.map { $0 * 100 / top }, rows: 8)
    let title = ["\(stage.rawValue) of \(whole(latency.count)) items", report.windowTitle]
    return lines(title) + framed(bars, top: top, unit: " %") + axis(spread.scale)
      + spread.marks.map { mark($0, spread.scale) }
  }

  private func axis(_ scale: TimeScale) -> [String] {
    let ends = [scale.ticks.first, scale.ticks.last].compactMap { $0 }
    let inner = scale.ticks.dropFirst().dropLast()
    let order = ends + inner.filter(\.isMajor) + inner.filter { !$0.isMajor }
    return axis(order.map { (scale.column(of: $0.seconds, columns), $0.label) }, columns)
  }

  /// A row of dots from the axis to the time, with its label after it, or before it if there is no
  /// room.
  private func mark(_ mark: (name: String, seconds: Double), _ scale: TimeScale) -> String {
    let column = scale.column(of: mark.seconds, columns)
    let label = span(mark.seconds)
    let head = mark.name.right(Picture.margin - 3) + "   "
    if column + 2 + label.count <= columns {
      return head + String(repeating: "·", count: column) + "▲ " + label
    }
    let dots = String(repeating: "·", count: max(0, column - label.count - 2))
    return head + dots + " \(label) ▲"
  }

  private var throughput: [String] {
    guard let series = PaceSeries(report.periods, most: columns) else {
      return ["items/s in and out: not measured yet"]
    }
    let repeats = max(1, columns / series.points.count)
    let bars = { (paces: [Double]) in
      let heights = paces.flatMap { Array(repeating: $0 / series.top, count: repeats) }
      return framed(Blocks.lines(heights, rows: 4), top: series.top, unit: "")
    }
    let clocks = series.points.enumerated().map { ($0 * repeats, UTC($1.start).clock) }
    let quarters = clocks.filter { ["00", "15", "30", "45"].contains($0.1.suffix(2)) }
    let length = series.points.count * repeats
    return ["\(series.unit) in (\(whole(series.came)) since \(clocks[0].1) UTC)"]
      + bars(series.points.map(\.came)) + axis([], length)
      + ["\(series.unit) out (\(whole(series.done)))"]
      + bars(series.points.map(\.done)) + axis(quarters.count > 1 ? quarters : clocks, length)
  }

  /// Bars with the axis to their left: its end, its middle, and its line.
  private func framed(_ bars: [String], top: Double, unit: String) -> [String] {
    bars.enumerated().map { row, bar in
      let label =
        switch row {
        case 0: roundText(top) + unit
        case bars.count / 2: roundText(top / 2) + unit
        default: ""
        }
      return (label.right(Picture.margin - 2) + (label.isEmpty ? " │" : " ┤") + bar).trimmed
    }
  }

  /// The axis below the bars and the labels below it; earlier labels have precedence.
  private func axis(_ labels: [(column: Int, text: String)], _ length: Int) -> [String] {
    var line = Array(repeating: Character("─"), count: length)
    var below = LabelLine(columns: columns)
    for (column, text) in labels
    where line.indices.contains(column) && below.write(text, at: column) {
      line[column] = "┬"
    }
    let zero = "0".right(Picture.margin - 2) + " ┼" + String(line)
    return labels.isEmpty
      ? [zero] : [zero, String(repeating: " ", count: Picture.margin) + below.text]
  }

  /// In one line if it fits.
  private func lines(_ parts: [String]) -> [String] {
    let line = parts.joined(separator: " ")
    return line.count <= columns + Picture.margin ? [line] : parts
  }
}

/// The two charts of `Picture` as a self-contained SVG document: no font, no script.
package struct SVGPicture {
  private let report: Report
  private let stage: Stage
  private let title: String

  /// The title may be any text.
  package init(_ report: Report, _ stage: Stage, title: String = "pipe") {
    self.report = report
    self.stage = stage
    self.title = title
  }

  package var text: String {
    var svg = SVG()
    svg.text(shownTitle, 40, 46, "h1")
    svg.text(UTC(report.at).text, 860, 72, "soft", anchor: "end")
    svg.text(summary, 40, 72, "soft")
    DistributionChart(report, stage, top: 100).draw(on: &svg)
    ThroughputChart(report, top: 410).draw(on: &svg)
    return SVGPicture.head(title: "\(title): \(stage.rawValue) and throughput")
      + svg.lines.map { $0 + "\n" }.joined() + "</svg>\n"
  }

  // The end of a long path says more than its start.
  private var shownTitle: String {
    title.count <= 64 ? title : "…" + title.suffix(63)
  }

  private var summary: String {
    let depths = report.depths.shown.map { "\(whole($0.items.sum)) \($0.name)" }
    return depths.joined(separator: " · ")
  }

  private static func head(title: String) -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <svg xmlns="http://www.w3.org/2000/svg" width="900" height="650" viewBox="0 0 900 650" role="img">
    <title>\(SVG.escaped(title))</title>
    <style>
    text { font: 12px system-ui, "DejaVu Sans", Arial, sans-serif; fill: #1f2933; }
    .h1 { font-size: 20px; font-weight: 600; } .h2 { font-size: 15px; font-weight: 600; }
    .soft { fill: #616e7c; } .grid { stroke: #e4e7eb; } .axis { stroke: #7b8794; }
    .bar { fill: #9fb8d9; } .mark { stroke: #b4432f; stroke-dasharray: 4 3; } .told { fill: #b4432f; }
    .came { fill: none; stroke: #2f6fb4; stroke-width: 2; }
    .done { fill: none; stroke: #c77700; stroke-width: 2; stroke-dasharray: 6 3; }
    </style>
    <rect width="900" height="650" fill="#fcfcfb"/>

    """
  }
}

/// The axes of a chart, in pixels.
struct ChartFrame {
  let top: Double
  let height: Double
  static let left = 90.0
  static let width = 770.0

  var bottom: Double { top + height }

  func x(_ place: Double) -> Double { ChartFrame.left + place * ChartFrame.width }
  func y(_ share: Double) -> Double { bottom - min(1, max(0, share)) * height }

  /// The base line and four lines above it, each with its value.
  func drawScale(to end: Double, unit: String, on svg: inout SVG) {
    for quarter in 0...4 {
      let y = y(Double(quarter) / 4)
      svg.line(x(0), y, x(1), y, quarter == 0 ? "axis" : "grid")
      let label = roundText(end * Double(quarter) / 4) + (quarter == 0 ? "" : unit)
      svg.text(label, x(0) - 10, y + 4, "soft", anchor: "end")
    }
  }

  func drawEmpty(_ words: String, on svg: inout SVG) {
    svg.line(x(0), bottom, x(1), bottom, "axis")
    svg.text(words, x(0.5), top + height / 2, "soft", anchor: "middle")
  }
}

/// Elements of an SVG document, one per line. All text is escaped here.
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

  /// `told` is the tooltip.
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

  /// Rounded to a hundredth of a pixel.
  private func short(_ value: Double) -> String {
    var text = fixed(value, 2)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : text
  }

  /// Escaped as in XML 1.0, section 2.2; a character that XML cannot contain becomes U+FFFD.
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
