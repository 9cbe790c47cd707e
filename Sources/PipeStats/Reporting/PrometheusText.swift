internal import Glibc

/// A report in Prometheus's text exposition format 0.0.4.
package struct PrometheusText {
  private let report: Report
  /// `queue="mailer"`; nil: no such label.
  private let label: String?

  /// `queue`: the value of the label `queue` that each sample gets; nil: none.
  package init(_ report: Report, queue: String? = nil) {
    self.report = report
    label = queue.map { #"queue="\#(PrometheusText.escaped($0))""# }
  }

  package var text: String {
    let counters = report.counters
    return [
      metric("ingested_rows_total", "counter", "Entries stored.", [("", counters.ingestedRows)]),
      metric(
        "failed_validations_total", "counter", "Lines rejected: invalid, or failing a requirement.",
        [("", counters.failedValidations)]),
      metric(
        "ingestion_errors_total", "counter", "Valid lines that were not stored.",
        [("", counters.ingestionErrors)]),
      metric("pipe_queue_items", "gauge", "Items in the queue by state and priority.", items),
      metric(
        "pipe_lost_items", "gauge", "Items lost to damage and not dropped.",
        report.depths.lost.named.map { (#"{priority="\#($0.name)"}"#, $0.value) }),
      metric(
        "pipe_oldest_ready_seconds", "gauge", "Age of the oldest ready item, 0 if none is ready.",
        report.oldestReady.named.map { (#"{priority="\#($0.name)"}"#, exact($0.value ?? 0)) }),
      metric(
        "pipe_queue_paused", "gauge", "1 while the queue is paused, otherwise 0.",
        [("", report.pause == nil ? 0 : 1)]),
      metric(
        "pipe_latency_seconds", "histogram",
        "Latency of acknowledged items: accepted to claimed (wait), claimed to settled (service), both (total).",
        Stage.allCases.flatMap(histogram)),
      metric(
        "pipe_accepted_items_total", "counter", "Items in stored entries.",
        [("", counters.acceptedItems)]),
      metric(
        "pipe_acknowledged_items_total", "counter", "Items acknowledged.",
        [("", report.ever.acknowledged)]),
      metric(
        "pipe_failed_items_total", "counter",
        "Failed attempts on items, by what happened to the item.",
        [
          (#"{outcome="retried"}"#, report.ever.retried),
          (#"{outcome="buried"}"#, report.ever.buried),
        ]),
    ].joined()
  }

  private var items: [(String, Int)] {
    report.depths.named.flatMap { state, items in
      items.named.map { (#"{state="\#(state)",priority="\#($0.name)"}"#, $0.value) }
    }
  }

  /// Upper bounds in seconds, from a millisecond to an hour.
  private static let bounds = [
    "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5",
    "10",
    "30", "60", "120", "300", "600", "1800", "3600",
  ]

  private func histogram(_ stage: Stage) -> [(String, String)] {
    let latency = report.ever.latency(of: stage)
    let label = #"stage="\#(stage.rawValue)""#
    let buckets = PrometheusText.bounds.map { bound in
      (#"_bucket{\#(label),le="\#(bound)"}"#, "\(latency.count(upTo: strtod(bound, nil)))")
    }
    return buckets + [
      (#"_bucket{\#(label),le="+Inf"}"#, "\(latency.count)"),
      ("_sum{\(label)}", exact(latency.sum)),
      ("_count{\(label)}", "\(latency.count)"),
    ]
  }

  private func metric<Value>(
    _ name: String, _ type: String, _ help: String, _ samples: [(String, Value)]
  ) -> String {
    let lines = ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"]
    return (lines + samples.map { "\(name)\(labelled($0.0)) \($0.1)" }).map { $0 + "\n" }.joined()
  }

  // `suffix`: the end of the name and the labels of a sample.
  private func labelled(_ suffix: String) -> String {
    guard let label else { return suffix }
    guard let brace = suffix.firstIndex(of: "{") else { return suffix + "{\(label)}" }
    return "\(suffix[...brace])\(label),\(suffix[suffix.index(after: brace)...])"
  }

  private static func escaped(_ value: String) -> String {
    var out = ""
    for character in value.unicodeScalars {
      switch character {
      case "\\", "\"": out += "\\\(character)"
      case "\n": out += "\\n"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }

  /// All digits: a sum that lost some would give a wrong rate.
  private func exact(_ value: Double) -> String {
    value.isFinite ? "\(value)" : "0"
  }
}

extension Latency {
  /// The sum of all values, in seconds. It never shrinks when something is recorded, as the product
  /// of mean and count can in its last digit: Prometheus would take that for a restart.
  var sum: Double {
    values.reduce(0) { $0 + ($1.seconds * 1e6).rounded() * Double($1.count) } / 1e6
  }
}
