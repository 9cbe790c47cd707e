/// Where values stand in a line of characters. The limits of all points lie within it, with half their width
/// free on both sides; what is beyond stands at the edge.
struct ControlScale {
  private let from: Double
  private let to: Double
  private let columns = 53

  init(_ chart: ControlChart) {
    let limits = chart.points.compactMap(\.limits)
    let low = limits.map(\.low).min() ?? 0
    let high = limits.map(\.high).max() ?? 0
    let width = high - low
    let margin = width > 0 ? width / 2 : max(high / 2, 1e-9)
    from = max(0, low - margin)
    to = high + margin
  }

  /// `(` and `)` at the limits, `|` at the centre, `o` at the value, or `*` when it is outside.
  func line(_ point: ControlChart.Point, centre: Double) -> String {
    guard let value = point.value, let limits = point.limits else { return "" }
    var line = [Character](repeating: " ", count: columns)
    line[column(centre)] = "|"
    line[column(limits.low)] = "("
    line[column(limits.high)] = ")"
    line[column(value)] = point.state == .inside ? "o" : "*"
    return String(line)
  }

  private func column(_ value: Double) -> Int {
    let part = (value - from) / (to - from)
    guard part.isFinite else { return columns - 1 }
    return Int((min(1, max(0, part)) * Double(columns - 1)).rounded())
  }
}
