internal import Glibc
internal import PipeText

/// A report for people: at most 80 columns, numbers of one kind aligned.
package struct ReportTable {
  private let report: Report

  package init(_ report: Report) { self.report = report }

  /// `rows`: the most lines; then the most wanted ones are printed, and the last line names the way
  /// to the rest. nil for all.
  package func text(rows: Int? = nil) -> String {
    let whole = ReportTable.joined([depths, ages, window, counters])
    guard let rows, ReportTable.lines(of: whole) > rows else { return whole }
    let offered: [Part] = [(0, depths), (2, brief), (2, window), (1, ages), (3, counters)]
    var chosen: [Part] = []
    for part in offered {
      // The whole window replaces the brief one.
      let next = chosen.filter { $0.place != part.place } + [part]
      if ReportTable.lines(of: ReportTable.ordered(next)) < rows { chosen = next }
    }
    return ReportTable.ordered(chosen) + "more with --all\n"
  }

  /// Places count from the top.
  private typealias Part = (place: Int, lines: [String])

  private static func ordered(_ parts: [Part]) -> String {
    joined(parts.sorted { $0.place < $1.place }.map(\.lines))
  }

  private static func joined(_ parts: [[String]]) -> String {
    parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private static func lines(of text: String) -> Int { text.utf8.count { $0 == 0x0a } }

  /// The window in eight lines.
  private var brief: [String] {
    guard report.seconds != nil else { return window }
    let shown: Set = ["p50", "p99", "max"]
    let kept = latency.enumerated().filter { row, line in
      row == 0 || shown.contains { line.hasPrefix($0 + " ") }
    }
    return [report.windowTitle] + rates + [""] + kept.map(\.element)
  }

  private var depths: [String] {
    var grid = Grid()
    grid.row("items", report.depths.ready.named.map(\.name) + ["all"])
    for (state, items) in report.depths.shown {
      grid.row(state, items.named.map { whole($0.value) } + [whole(items.sum)])
    }
    let oldest = report.oldestReady.named.map(\.value)
    grid.row("oldest ready", (oldest + [oldest.compactMap { $0 }.max()]).map { span($0) })
    return ["Queue at \(UTC(report.at).text)"] + pause + [""] + grid.lines
  }

  private var pause: [String] {
    guard let pause = report.pause else { return [] }
    let end = pause.until.map { " until \(UTC($0).text)" } ?? ""
    let line = "paused since \(UTC(pause.since).text)\(end)"
    return [line] + (pause.reason.isEmpty ? [] : ["  " + pause.reason.plain])
  }

  private var ages: [String] { AgeLines(report.ages).lines }

  private var window: [String] {
    let title = report.windowTitle
    guard report.seconds != nil else {
      return report.since == nil
        ? ["rates, latency and success are not measured yet"]
        : [title, "nothing arrived and nothing was settled"]
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
    return ["since the queue was created"] + grid.lines
  }
}

extension Latency {
  /// The percentile text that HdrHistogram's plotters read, in milliseconds as they expect. It
  /// equals the output of the library's `outputPercentileDistribution` with 5 ticks; but the
  /// library traps above 2⁶⁴ µs in all, and counts in 32 bits.
  package var percentileText: String {
    let rows = percentileRows.map { row in
      let level = row.level / 100
      let line = "\(milliseconds(row.longest)) \(fixed(level, 12)) \("\(row.count)".right(10))"
      return line + (level < 1 ? " " + fixed(1 / (1 - level), 2).right(14) : "")
    }
    let head = "       Value     Percentile TotalCount 1/(1-Percentile)\n"
    return ([head] + rows + footer).map { $0 + "\n" }.joined()
  }

  private var footer: [String] {
    let count = Double(self.count)
    let mean = (moments?.mean ?? 0) * 1e3
    // The variance of everything that was recorded, not of a sample.
    let variance = count > 1 ? (moments?.variance ?? 0) * (count - 1) / count : 0
    let deviation = variance.squareRoot() * 1e3
    return [
      "#[Mean    = \(fixed(mean, 3).right(12)), StdDeviation   = \(fixed(deviation, 3).right(12))]",
      "#[Max     = \(milliseconds(classes.last?.longest ?? 0)),"
        + " Total count    = \("\(self.count)".right(12))]",
      "#[Buckets = \("32".right(12)), SubBuckets     = \("2048".right(12))]",
    ]
  }

  private func milliseconds(_ microseconds: Int) -> String {
    fixed(Double(microseconds) / 1e3, 3).right(12)
  }

  /// Five steps for each half of the rest to 100 %: 0, 10, 20 … 50, 55 … 75, 77.5 …
  private var percentileRows: [(level: Double, longest: Int, count: Int)] {
    let classes = classes
    let all = Double(count)
    var rows: [(level: Double, longest: Int, count: Int)] = []
    var level = 0.0
    var below = 0
    for (_, longest, count) in classes.dropLast() {
      below += count
      while level < 100, level <= 100 * Double(below) / all {
        rows.append((level, longest, below))
        level = next(level)
      }
    }
    guard let last = classes.last else { return [] }
    if level < 100 { rows.append((level, last.longest, count)) }
    return rows + [(100, last.longest, count)]
  }

  private func next(_ level: Double) -> Double {
    let halves = floor(log2(100 / (100 - level))) + 1
    return level + 100 / (5 * exp2(halves))
  }
}

/// Settled items and batches by tag.
package struct TagReport {
  private let rows: [(tag: String?, activity: Activity)]

  /// Items without a tag are under nil, and come first.
  package init(_ activities: [String?: Activity]) {
    rows = activities.map { ($0.key, $0.value) }.sorted { ($0.tag ?? "") < ($1.tag ?? "") }
  }

  /// One line of JSON per tag.
  package var line: String {
    rows.map { tag, activity in
      object(
        [("tag", tag.map(quoted) ?? "null"), ("batches", "\(activity.batches.count)")]
          + [("latency", activity.latencyLine), ("success", activity.success.line)]) + "\n"
    }.joined()
  }

  /// The characters of a tag that fit in a line of 80 columns.
  private static let longest = 16

  private func shown(_ tag: String?) -> String {
    guard let tag = tag?.plain else { return "-" }
    return tag.count > TagReport.longest ? tag.prefix(TagReport.longest - 1) + "…" : tag
  }

  /// For people: 80 columns.
  package var text: String {
    guard !rows.isEmpty else { return "nothing has been settled yet\n" }
    let widest = min(TagReport.longest, rows.compactMap { $0.tag?.count }.max() ?? 0)
    var grid = Grid(label: max(9, widest + 1), cell: 8, gap: 1)
    grid.row("service", ["batches", "items", "mean", "p50", "p99", "max", "success"])
    for (tag, activity) in rows {
      let service = activity.service
      grid.row(
        shown(tag),
        [
          whole(activity.batches.count), whole(service.count), span(service.mean),
          span(service.percentile(50)), span(service.percentile(99)), span(service.max),
          inPercent(activity.success.ratio),
        ])
    }
    return grid.lines.map { $0 + "\n" }.joined()
  }
}

extension Report {
  /// The period of the report: `in the last 10 min`, or `since 2026-11-20 08:00 UTC (15 min 2 s)`.
  var windowTitle: String {
    guard let since else { return began.map { "since \($0)" } ?? "ever" }
    let asked = "in the last \(span(since))"
    // Less was recorded than requested: the queue is younger, or older records were pruned.
    guard let seconds, seconds < since * 0.99, let began else { return asked }
    return asked + ", recorded since \(began)"
  }

  private var began: String? {
    guard let start, let seconds, seconds.isFinite else { return nil }
    return "\(UTC(start).minute) (\(span(seconds)))"
  }
}
