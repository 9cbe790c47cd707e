/// What came and what was done in the last hour, as two lines.
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

  /// A period is a step: its pace held from its start to its end.
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
