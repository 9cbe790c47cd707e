/// A report as one line of JSON. Seconds, per item; null where nothing was measured.
package struct ReportLine {
  private let report: Report

  package init(_ report: Report) { self.report = report }

  package var text: String {
    object([
      ("items", object(report.depths.named.map { ($0.name, priorities($0.items) { "\($0)" }) })),
      ("oldest_ready_seconds", priorities(report.oldestReady, number)),
      ("rates", rates),
      ("latency", report.activity.latencyLine),
      ("success", report.activity.success.line),
      ("counters", counters),
      ("window", window),
      ("ages", ages),
    ]) + "\n"
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

/// `"count":50,"mean":…,"p50":…,"p90":…,"p99":…,"p99.9":…,"max":…`; `percentiles`: those of `Latency`.
func percentileMembers<Figure>(
  _ count: Int, _ mean: Figure?, _ percentiles: [Figure?], _ max: Figure?,
  _ text: (Figure?) -> String
) -> [(name: String, value: String)] {
  [("count", "\(count)"), ("mean", text(mean))]
    + zip(Latency.percentiles, percentiles).map { ($0.name, text($1)) } + [("max", text(max))]
}
