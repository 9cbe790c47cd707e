/// A report as one line of JSON. Seconds, per item; null where nothing was measured.
package struct ReportLine {
  private let report: Report

  package init(_ report: Report) { self.report = report }

  package var text: String {
    object([
      ("items", object(report.depths.named.map { ($0.name, priorities($0.items) { "\($0)" }) })),
      ("oldest_ready_seconds", priorities(report.oldestReady, number)),
      ("rates", rates),
      ("latency", object(Stage.allCases.map { ($0.rawValue, latency($0)) })),
      ("success", success),
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

  private func latency(_ stage: Stage) -> String {
    LatencyLine(report.activity.latency(of: stage)).text
  }

  private var success: String {
    let success = report.activity.success
    return object([
      ("acknowledged", "\(success.acknowledged)"), ("failed", "\(success.failed)"),
      ("ratio", number(success.ratio)), ("low", number(success.low)),
      ("high", number(success.high)),
    ])
  }

  private var counters: String {
    let (counters, ever) = (report.counters, report.ever)
    return object([
      ("ingested_rows_total", "\(counters.ingestedRows)"),
      ("failed_validations_total", "\(counters.failedValidations)"),
      ("ingestion_errors_total", "\(counters.ingestionErrors)"),
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

/// One distribution as JSON.
package struct LatencyLine {
  private let latency: Latency

  package init(_ latency: Latency) { self.latency = latency }

  /// Of numbers that were read from lines: with how many lines had none.
  package func text(skipped: Int) -> String {
    object(members + [("skipped", "\(skipped)")]) + "\n"
  }

  var text: String { object(members) }

  private var members: [(name: String, value: String)] {
    [("count", "\(latency.count)"), ("mean", number(latency.mean))]
      + Latency.percentiles.map { ($0.name, number(latency.percentile($0.percentile))) }
      + [("max", number(latency.max))]
  }
}

/// Names are written as they are: none of them needs an escape.
func object(_ members: [(name: String, value: String)]) -> String {
  "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}"
}

func list(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }
