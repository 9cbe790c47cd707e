/// A report for people: at most 80 columns, each number below those of its kind.
package struct ReportTable {
  private let report: Report

  package init(_ report: Report) { self.report = report }

  package var text: String {
    let parts = [depths, ages, window, counters].filter { !$0.isEmpty }
    return parts.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private var depths: [String] {
    var grid = Grid()
    grid.row("items", report.depths.ready.named.map(\.name) + ["all"])
    for (state, items) in report.depths.shown {
      grid.row(state, items.named.map { whole($0.value) } + [whole(items.sum)])
    }
    let oldest = report.oldestReady.named.map(\.value)
    grid.row("oldest ready", (oldest + [oldest.compactMap { $0 }.max()]).map { span($0) })
    return ["Queue at \(UTC(report.at).text)", ""] + grid.lines
  }

  private var ages: [String] { AgeLines(report.ages).lines }

  private var window: [String] {
    let title = report.windowTitle
    guard report.seconds != nil else {
      return report.since == nil
        ? ["rates, latency and success are not measured yet"]
        : [title, "nothing came and nothing was settled"]
    }
    let apart = report.activity.success.ratio == nil ? [] : [""]
    return [title] + rates + [""] + latency + apart + success
  }

  private var rates: [String] {
    var grid = Grid()
    grid.row("in", [pace(report.inPerSecond, beside: report.outPerSecond)])
    grid.row("out", [pace(report.outPerSecond, beside: report.inPerSecond)])
    return grid.lines
  }

  private var latency: [String] {
    let latencies = Stage.allCases.map { report.activity.latency(of: $0) }
    guard latencies.contains(where: { $0.count > 0 }) else {
      return ["latency".left(14) + "not measured yet"]
    }
    var grid = Grid()
    grid.row("latency", Stage.allCases.map(\.rawValue))
    grid.row("items", latencies.map { whole($0.count) })
    grid.row("mean", latencies.map { span($0.mean) })
    for (name, percentile) in Latency.percentiles {
      grid.row(name, latencies.map { span($0.percentile(percentile)) })
    }
    grid.row("max", latencies.map { span($0.max) })
    return grid.lines
  }

  private var success: [String] {
    let success = report.activity.success
    guard success.ratio != nil else { return ["success".left(14) + "not measured yet"] }
    let interval = "95 % interval \(inPercent(success.low)) to \(inPercent(success.high))"
    let failures =
      "\(whole(report.activity.retried)) retried, \(whole(report.activity.buried)) buried"
    var grid = Grid()
    grid.row("success", [inPercent(success.ratio)])
    grid.row("acknowledged", [whole(success.acknowledged)])
    grid.row("failed", [whole(success.failed)])
    return zip(grid.lines, [interval, "", success.failed > 0 ? failures : ""]).map {
      $1.isEmpty ? $0 : $0 + "    " + $1
    }
  }

  private var counters: [String] {
    var grid = Grid(label: 20, cell: 20)
    grid.row("rows ingested", [whole(report.counters.ingestedRows)])
    grid.row("failed validations", [whole(report.counters.failedValidations)])
    grid.row("ingestion errors", [whole(report.counters.ingestionErrors)])
    return ["since the queue began"] + grid.lines
  }
}
