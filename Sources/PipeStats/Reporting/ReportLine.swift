internal import PipeText

/// A report as one line of JSON. Seconds, per item; null if nothing was measured.
package struct ReportLine {
  private let report: Report

  package init(_ report: Report) { self.report = report }

  package var text: String {
    object(
      [
        ("items", object(report.depths.named.map { ($0.name, priorities($0.items) { "\($0)" }) })),
        ("oldest_ready_seconds", priorities(report.oldestReady, number)),
        ("rates", rates),
        ("latency", report.activity.latencyLine),
        ("success", report.activity.success.line),
        ("counters", counters),
        ("window", window),
        ("ages", ages),
      ] + pause) + "\n"
  }

  private var pause: [(String, String)] {
    guard let pause = report.pause else { return [] }
    let members = object([
      ("since", quoted(UTC(pause.since).internet)),
      ("until", pause.until.map { quoted(UTC($0).internet) } ?? "null"),
      ("reason", quoted(pause.reason)),
    ])
    return [("paused", members)]
  }

  private var rates: String {
    object([
      ("in_per_second", number(report.inPerSecond)),
      ("out_per_second", number(report.outPerSecond)),
    ])
  }

  private var counters: String {
    let (counters, ever) = (report.counters, report.ever)
    return object([
      ("ingested_rows_total", "\(counters.ingestedRows)"),
      ("failed_validations_total", "\(counters.failedValidations)"),
      ("ingestion_errors_total", "\(counters.ingestionErrors)"),
      ("pipe_accepted_items_total", "\(counters.acceptedItems)"),
      ("pipe_acknowledged_items_total", "\(ever.acknowledged)"),
      ("pipe_failed_items_total", "\(ever.retried &+ ever.buried)"),
    ])
  }

  private var window: String {
    object([("since_seconds", number(report.since)), ("seconds", number(report.seconds))])
  }

  private var ages: String {
    let bounds = list(report.ages.bounds.map { number($0) })
    return object(
      [("bounds_seconds", bounds)]
        + report.ages.counts.named.map { ($0.name, list($0.value.map { "\($0)" })) })
  }

  private func priorities<Value>(
    _ values: PerPriority<Value>, _ text: (Value) -> String
  ) -> String {
    object(values.named.map { ($0.name, text($0.value)) })
  }
}

extension Activity {
  var latencyLine: String { object(Stage.allCases.map { ($0.rawValue, latency(of: $0).line) }) }
}

extension Success {
  var line: String {
    object([
      ("acknowledged", "\(acknowledged)"), ("failed", "\(failed)"), ("ratio", number(ratio)),
      ("low", number(low)), ("high", number(high)),
    ])
  }
}

extension Latency {
  /// As JSON, in seconds.
  var line: String {
    let shown = Latency.percentiles.map { percentile($0.percentile) }
    return object(percentileMembers(count, mean, shown, max, number))
  }
}

/// `"count":50,"mean":…,"p50":…,"p90":…,"p99":…,"p99.9":…,"max":…`; `percentiles`: those that
/// `Latency.percentiles` names.
func percentileMembers<Figure>(
  _ count: Int, _ mean: Figure?, _ percentiles: [Figure?], _ max: Figure?,
  _ text: (Figure?) -> String
) -> [(name: String, value: String)] {
  [("count", "\(count)"), ("mean", text(mean))]
    + zip(Latency.percentiles, percentiles).map { ($0.name, text($1)) } + [("max", text(max))]
}

/// Waiting items by age and priority, laid out as in Postfix's qshape. No lines if nothing waits.
struct AgeLines {
  private let ages: AgeTable

  init(_ ages: AgeTable) { self.ages = ages }

  var lines: [String] {
    let all = ages.counts.named.map { ($0.name, [sum($0.value)] + $0.value) }
    guard all.contains(where: { $0.1[0] > 0 }) else { return [] }
    let (unit, size) = unit
    let bounds = ages.bounds.map { "\(Int(($0 / size).rounded()))" }
    var grid = Grid(label: 8, cell: 6, gap: 1)
    grid.row("", ["all"] + bounds.map { "<" + $0 } + [(bounds.last ?? "0") + "+"])
    for (name, counts) in all { grid.row(name, counts.map { $0 == 0 ? "-" : short($0) }) }
    return ["waiting, by age in \(unit)"] + grid.lines
  }

  private var unit: (name: String, seconds: Double) {
    let first = ages.bounds.first ?? 1
    if first >= 3600 { return ("hours", 3600) }
    return first >= 60 ? ("minutes", 60) : ("seconds", 1)
  }

  private func sum(_ counts: [Int]) -> Int { counts.reduce(0, &+) }
}

/// One minute of the past, with the latency of the items that were done in it.
package struct Minute {
  package let period: Period
  /// Items.
  package let failed: Int
  /// For each acknowledged item: accepted until settled.
  package let total: Latency

  package init(_ period: Period, failed: Int, total: Latency) {
    self.period = period
    self.failed = failed
    self.total = total
  }

  /// As JSON, in items and seconds.
  package var line: String {
    object([
      ("start", quoted(UTC(period.start).internet)), ("seconds", number(period.seconds)),
      ("accepted", "\(period.accepted)"), ("acknowledged", "\(period.acknowledged)"),
      ("failed", "\(failed)"), ("count", "\(total.count)"), ("p50", number(total.percentile(50))),
      ("p99", number(total.percentile(99))),
    ])
  }
}
