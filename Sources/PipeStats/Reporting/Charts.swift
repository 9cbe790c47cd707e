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
