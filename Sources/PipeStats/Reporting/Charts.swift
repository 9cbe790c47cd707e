internal import Glibc
internal import PipeText
internal import PipeTime

/// A histogram on a logarithmic axis, with the percentiles as lines across it.
struct DistributionChart {
  private let report: Report
  private let stage: Stage
  private let frame: ChartFrame
  private let top: Double

  init(_ report: Report, _ stage: Stage, top: Double) {
    self.report = report
    self.stage = stage
    self.top = top
    frame = ChartFrame(top: top + 96, height: 150)
  }

  func draw(on svg: inout SVG) {
    let latency = report.activity.latency(of: stage)
    svg.text("\(stage.rawValue) of \(whole(latency.count)) items", 40, top + 14, "h2")
    svg.text(report.windowTitle, 860, top + 14, "soft", anchor: "end")
    guard let spread = Spread(latency, columns: 110) else {
      return frame.drawEmpty("not measured yet", on: &svg)
    }
    let end = roundedUp((spread.shares.max() ?? 1) * 100)
    frame.drawScale(to: end, unit: " %", on: &svg)
    drawBars(spread, end, on: &svg)
    drawTicks(spread.scale, on: &svg)
    drawMarks(spread, on: &svg)
  }

  private func drawBars(_ spread: Spread, _ end: Double, on svg: inout SVG) {
    let width = ChartFrame.width / Double(spread.shares.count)
    for (column, share) in spread.shares.enumerated() where share > 0 {
      // A bar is visible even for one item of a million.
      let height = max(1, frame.bottom - frame.y(share * 100 / end))
      svg.rectangle(
        frame.x(0) + Double(column) * width, frame.bottom - height, max(1, width - 1), height,
        "bar", told: inPercent(share))
    }
  }

  private func drawTicks(_ scale: TimeScale, on svg: inout SVG) {
    var taken: [Double] = []
    let ends = [scale.ticks.first, scale.ticks.last].compactMap { $0 }
    let inner = scale.ticks.dropFirst().dropLast()
    for tick in ends + inner.filter(\.isMajor) + inner.filter({ !$0.isMajor }) {
      let x = frame.x(scale.place(tick.seconds))
      svg.line(x, frame.bottom, x, frame.bottom + 5, "axis")
      guard taken.allSatisfy({ abs($0 - x) > 44 }) else { continue }
      taken.append(x)
      svg.text(tick.label, x, frame.bottom + 20, "soft", anchor: "middle")
    }
  }

  /// Labels are stacked, each beside its line, so that none hides another.
  private func drawMarks(_ spread: Spread, on svg: inout SVG) {
    for (row, mark) in spread.marks.enumerated() {
      let x = frame.x(spread.scale.place(mark.seconds))
      let y = top + 32 + Double(row) * 13
      svg.line(x, y - 9, x, frame.bottom, "mark")
      let isRight = x > frame.x(0.85)
      svg.text(
        "\(mark.name) \(span(mark.seconds))", x + (isRight ? -5 : 5), y, "told",
        anchor: isRight ? "end" : "start")
    }
  }
}

/// Items in and out over the last hour, as two lines.
struct ThroughputChart {
  private let series: PaceSeries?
  private let top: Double
  private let frame: ChartFrame

  init(_ report: Report, top: Double) {
    series = PaceSeries(report.periods, most: 120)
    self.top = top
    frame = ChartFrame(top: top + 34, height: 160)
  }

  func draw(on svg: inout SVG) {
    guard let series else {
      svg.text("items in and out", 40, top + 14, "h2")
      return frame.drawEmpty("not measured yet", on: &svg)
    }
    svg.text(series.unit + " in and out", 40, top + 14, "h2")
    frame.drawScale(to: series.top, unit: "", on: &svg)
    drawClock(series, on: &svg)
    svg.path(steps(series.points.map { $0.came / series.top }), "came")
    svg.path(steps(series.points.map { $0.done / series.top }), "done")
    drawLegend(series, on: &svg)
  }

  /// A period is a step: its rate from its start to its end.
  private func steps(_ heights: [Double]) -> [(x: Double, y: Double)] {
    let width = 1 / Double(max(1, heights.count))
    return heights.enumerated().flatMap { index, height in
      [Double(index) * width, Double(index + 1) * width].map { (frame.x($0), frame.y(height)) }
    }
  }

  private func drawClock(_ series: PaceSeries, on svg: inout SVG) {
    let clocks = series.points.map { UTC($0.start).clock }
    let isFew = clocks.count <= 12
    for (index, clock) in clocks.enumerated() {
      guard isFew || ["00", "15", "30", "45"].contains(clock.suffix(2)) else { continue }
      let x = frame.x(Double(index) / Double(clocks.count))
      svg.line(x, frame.bottom, x, frame.bottom + 5, "axis")
      svg.text(clock, x, frame.bottom + 20, "soft", anchor: "middle")
    }
    svg.text("UTC", frame.x(1), frame.bottom + 20, "soft", anchor: "end")
  }

  private func drawLegend(_ series: PaceSeries, on svg: inout SVG) {
    let entries = [
      ("came", "in: \(whole(series.came)) items", 460.0),
      ("done", "out: \(whole(series.done)) items", 670.0),
    ]
    for (style, words, x) in entries {
      svg.path([(x, top + 10), (x + 28, top + 10)], style)
      svg.text(words, x + 36, top + 14)
    }
  }
}

/// The rates of items in and out, period by period, in a suitable unit.
struct PaceSeries {
  struct Point {
    let start: Instant
    let came: Double
    let done: Double
  }

  /// `items/s` or `items/min`
  let unit: String
  /// The end of the axis.
  let top: Double
  let points: [Point]
  /// Items in all periods.
  let came: Int
  let done: Int

  /// Merges periods if there are more than `most`. Nil if there are none.
  init?(_ periods: [Period], most: Int) {
    guard !periods.isEmpty, most > 0 else { return nil }
    let size = (periods.count + most - 1) / most
    let groups = stride(from: 0, to: periods.count, by: size).map {
      periods[$0..<min(periods.count, $0 + size)]
    }
    let paces = groups.map { group in
      let seconds = group.reduce(0) { $0 + max(0, $1.seconds) }
      let rate = { (items: Int) in seconds > 0 ? Double(items) / seconds : 0 }
      return Point(
        start: group.first?.start ?? .epoch, came: rate(PaceSeries.came(group)),
        done: rate(PaceSeries.done(group)))
    }
    let peak = paces.map { max($0.came, $0.done) }.max() ?? 0
    let factor = peak < 2 ? 60.0 : 1
    unit = peak < 2 ? "items/min" : "items/s"
    top = roundedUp(peak * factor)
    points = paces.map {
      Point(start: $0.start, came: $0.came * factor, done: $0.done * factor)
    }
    came = PaceSeries.came(periods[...])
    done = PaceSeries.done(periods[...])
  }

  private static func came(_ periods: ArraySlice<Period>) -> Int {
    periods.reduce(0) { $0 &+ $1.accepted }
  }

  private static func done(_ periods: ArraySlice<Period>) -> Int {
    periods.reduce(0) { $0 &+ $1.acknowledged }
  }
}

/// Columns of Unicode blocks, eight steps per line.
enum Blocks {
  private static let steps: [Character] = Array(" ▁▂▃▄▅▆▇█")

  /// Lines from the top. Heights are from 0 to 1; a height above 0 shows at least one step.
  static func lines(_ heights: [Double], rows: Int) -> [String] {
    let eighths = heights.map { height in
      height > 0 ? max(1, Int((min(1, height) * Double(rows * 8)).rounded())) : 0
    }
    return (0..<rows).reversed().map { row in
      String(eighths.map { steps[max(0, min(8, $0 - row * 8))] })
    }
  }
}

/// One line of labels, each centred at its column if there is room.
struct LabelLine {
  private var cells: [Character]

  init(columns: Int) { cells = Array(repeating: " ", count: max(0, columns)) }

  /// Writes the label if there is room and a space on either side; returns whether there was.
  mutating func write(_ label: String, at column: Int) -> Bool {
    let start = max(0, min(cells.count - label.count, column - label.count / 2))
    let end = start + label.count
    guard end <= cells.count else { return false }
    let around = max(0, start - 1)..<min(cells.count, end + 1)
    guard cells[around].allSatisfy({ $0 == " " }) else { return false }
    cells.replaceSubrange(start..<end, with: label)
    return true
  }

  var text: String { String(cells).trimmed }
}

/// Rows of right-aligned cells, each row after its label.
struct Grid {
  private let label: Int
  private let cell: Int
  private let gap: Int
  private var rows: [(label: String, cells: [String])] = []

  /// Columns of the label, the least width of a cell, and the least gap between two cells.
  init(label: Int = 12, cell: Int = 14, gap: Int = 2) {
    self.label = label
    self.cell = cell
    self.gap = gap
  }

  mutating func row(_ label: String, _ cells: [String]) { rows.append((label, cells)) }

  var lines: [String] {
    let widest = rows.flatMap(\.cells).map(\.count).max() ?? 0
    let width = max(cell, widest + gap)
    return rows.map { row in
      row.label.left(label) + row.cells.map { $0.right(width) }.joined()
    }
  }
}

/// A logarithmic axis between two round times.
struct TimeScale {
  struct Tick {
    let seconds: Double
    let label: String
    /// Whether its number is a power of ten, or it is the last, 30 d.
    let isMajor: Bool
  }

  /// Ascending; the first and the last are the ends of the axis.
  let ticks: [Tick]

  private var lower: Double { ticks[0].seconds }
  private var upper: Double { ticks[ticks.count - 1].seconds }

  /// From the round time at or below `least` to the one at or above `greatest`. Times below 1 µs
  /// are drawn at 1 µs.
  init(from least: Double, to greatest: Double) {
    let all = TimeScale.round
    var first = all.lastIndex { $0.seconds <= least * (1 + 1e-9) } ?? 0
    var last = all.firstIndex { $0.seconds >= greatest * (1 - 1e-9) } ?? all.count - 1
    if last <= first { (first, last) = first > 0 ? (first - 1, first) : (0, 1) }
    ticks = Array(all[first...last])
  }

  /// 0 at the lower end, 1 at the upper end.
  func place(_ seconds: Double) -> Double {
    guard seconds > lower else { return 0 }
    return min(1, log(seconds / lower) / log(upper / lower))
  }

  /// The same as a column, counted from 0.
  func column(of seconds: Double, _ columns: Int) -> Int {
    min(columns - 1, Int(place(seconds) * Double(columns)))
  }

  /// From 1 µs to 30 days, the range of `Latency`.
  private static let round: [Tick] = {
    let small = [("us", 1e-6), ("ms", 1e-3)].flatMap { name, unit in
      [1.0, 2, 5, 10, 20, 50, 100, 200, 500].map { count in
        let isMajor = [1, 10, 100].contains(count)
        return Tick(seconds: count * unit, label: "\(Int(count)) \(name)", isMajor: isMajor)
      }
    }
    let large: [(name: String, unit: Double, counts: [Double])] = [
      ("s", 1, [1, 2, 5, 10, 20]), ("min", 60, [0.5, 1, 2, 5, 10, 20]),
      ("h", 3600, [0.5, 1, 2, 5, 12]), ("d", 86_400, [1, 2, 5, 10, 30]),
    ]
    return small
      + large.flatMap { name, unit, counts in
        counts.map { count in
          let label = count < 1 ? half(of: name) : "\(Int(count)) \(name)"
          return Tick(
            seconds: count * unit, label: label, isMajor: [1, 10, 30].contains(count))
        }
      }
  }()

  private static func half(of unit: String) -> String { unit == "h" ? "30 min" : "30 s" }
}

/// A distribution for a chart: the share of all values in each column of a logarithmic axis.
struct Spread {
  let scale: TimeScale
  /// Each from 0 to 1; they add up to 1.
  let shares: [Double]
  /// The percentiles and the maximum, by name.
  let marks: [(name: String, seconds: Double)]

  /// Nil if nothing was measured.
  init?(_ latency: Latency, columns: Int) {
    let values = latency.values
    guard columns > 0, let least = values.first?.seconds, let longest = latency.max else {
      return nil
    }
    let scale = TimeScale(from: least, to: longest)
    let all = Double(latency.count)
    var shares = Array(repeating: 0.0, count: columns)
    for (seconds, count) in values {
      shares[scale.column(of: seconds, columns)] += Double(count) / all
    }
    self.scale = scale
    self.shares = shares
    marks =
      Latency.percentiles.map { ($0.name, latency.percentile($0.percentile) ?? 0) }
      + [("max", longest)]
  }
}

/// The end of an axis: one digit and a power of ten, not less than `value`; 1 if `value` is 0.
func roundedUp(_ value: Double) -> Double {
  guard value.isFinite, value > 0, value < 1e300 else { return 1 }
  var power = 1.0
  while power * 10 <= value { power *= 10 }
  while power > value { power /= 10 }
  let factor = [1.0, 2, 3, 4, 5, 6, 8, 10].first { power * $0 >= value * (1 - 1e-9) } ?? 10
  return power * factor
}

/// A round number without zeros at its end: `0.5`, `20`, `500k`.
func roundText(_ value: Double) -> String {
  if value >= 100_000, let multiple = multiples.first(where: { value >= $0.size }) {
    return roundText(value / multiple.size) + multiple.name
  }
  guard let text = Decimal(value, digits: 3)?.plain else { return "-" }
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
