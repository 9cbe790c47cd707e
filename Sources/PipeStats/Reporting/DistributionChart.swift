/// A histogram on a logarithmic axis with the percentiles as lines across it.
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
      // What is there is seen, be it one item of a million.
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

  /// Their labels stand above each other, each at its line, so that none hides another.
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
