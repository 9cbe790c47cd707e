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
