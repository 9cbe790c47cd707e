import PipeStats
import Testing

struct PrometheusTests {
  @Test func `every metric has a name, a type and a value`() {
    var report = Report.busy
    report.ever = Activity()
    let lines = PrometheusText(report).text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines.filter { !$0.hasPrefix("pipe_latency_seconds") }
        == expected.split(separator: "\n", omittingEmptySubsequences: false))
    #expect(
      lines.filter { $0.hasPrefix("pipe_latency_seconds") }.allSatisfy {
        $0.hasSuffix(" 0") || $0.hasSuffix(" 0.0")
      })
  }

  private let expected = """
    # HELP ingested_rows_total Entries stored.
    # TYPE ingested_rows_total counter
    ingested_rows_total 12346907
    # HELP failed_validations_total Lines rejected: invalid, or failing a requirement.
    # TYPE failed_validations_total counter
    failed_validations_total 3
    # HELP ingestion_errors_total Valid lines that were not stored.
    # TYPE ingestion_errors_total counter
    ingestion_errors_total 0
    # HELP pipe_queue_items Items in the queue by state and priority.
    # TYPE pipe_queue_items gauge
    pipe_queue_items{state="ready",priority="HIGH"} 10
    pipe_queue_items{state="ready",priority="MEDIUM"} 1200
    pipe_queue_items{state="ready",priority="LOW"} 0
    pipe_queue_items{state="claimed",priority="HIGH"} 3
    pipe_queue_items{state="claimed",priority="MEDIUM"} 3
    pipe_queue_items{state="claimed",priority="LOW"} 0
    pipe_queue_items{state="later",priority="HIGH"} 0
    pipe_queue_items{state="later",priority="MEDIUM"} 12
    pipe_queue_items{state="later",priority="LOW"} 0
    pipe_queue_items{state="dead",priority="HIGH"} 0
    pipe_queue_items{state="dead",priority="MEDIUM"} 1
    pipe_queue_items{state="dead",priority="LOW"} 0
    pipe_queue_items{state="done",priority="HIGH"} 1000000
    pipe_queue_items{state="done",priority="MEDIUM"} 11345678
    pipe_queue_items{state="done",priority="LOW"} 0
    pipe_queue_items{state="lost",priority="HIGH"} 0
    pipe_queue_items{state="lost",priority="MEDIUM"} 0
    pipe_queue_items{state="lost",priority="LOW"} 0
    # HELP pipe_lost_items Items lost to damage and not dropped.
    # TYPE pipe_lost_items gauge
    pipe_lost_items{priority="HIGH"} 0
    pipe_lost_items{priority="MEDIUM"} 0
    pipe_lost_items{priority="LOW"} 0
    # HELP pipe_oldest_ready_seconds Age of the oldest ready item, 0 if none is ready.
    # TYPE pipe_oldest_ready_seconds gauge
    pipe_oldest_ready_seconds{priority="HIGH"} 1.25
    pipe_oldest_ready_seconds{priority="MEDIUM"} 192.3
    pipe_oldest_ready_seconds{priority="LOW"} 0.0
    # HELP pipe_queue_paused 1 while the queue is paused, otherwise 0.
    # TYPE pipe_queue_paused gauge
    pipe_queue_paused 0
    # HELP pipe_latency_seconds Latency of acknowledged items: accepted to claimed (wait), \
    claimed to settled (service), both (total).
    # TYPE pipe_latency_seconds histogram
    # HELP pipe_accepted_items_total Items in stored entries.
    # TYPE pipe_accepted_items_total counter
    pipe_accepted_items_total 12346950
    # HELP pipe_acknowledged_items_total Items acknowledged.
    # TYPE pipe_acknowledged_items_total counter
    pipe_acknowledged_items_total 0
    # HELP pipe_failed_items_total Failed attempts on items, by what happened to the item.
    # TYPE pipe_failed_items_total counter
    pipe_failed_items_total{outcome="retried"} 0
    pipe_failed_items_total{outcome="buried"} 0

    """

  @Test func `a label for the queue comes first in each sample, and changes nothing else`() {
    let plain = PrometheusText(.busy).text
    let labelled = PrometheusText(.busy, queue: "a\\b\"c\nd é").text
    let label = #"queue="a\\b\"c\nd é""#
    let samples = labelled.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(samples.allSatisfy { $0.contains("{" + label) })
    let without = labelled.replacing("{\(label)}", with: "").replacing(label + ",", with: "")
    #expect(without == plain)
  }

  @Test func `a histogram bucket counts all values up to its bound`() {
    let lines = PrometheusText(.busy).text.split(separator: "\n")
    let wait = lines.filter { $0.hasPrefix("pipe_latency_seconds") && $0.contains(#""wait""#) }
    let counts =
      Array(repeating: 970, count: 6) + Array(repeating: 999, count: 7)
      + Array(repeating: 1000, count: 8)
    let bounds = [
      "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5",
      "10", "30", "60", "120", "300", "600", "1800", "3600", "+Inf",
    ]
    let buckets = zip(bounds, counts).map {
      #"pipe_latency_seconds_bucket{stage="wait",le="\#($0)"} \#($1)"#
    }
    let rest = [
      #"pipe_latency_seconds_sum{stage="wait"} 15.646552"#,
      #"pipe_latency_seconds_count{stage="wait"} 1000"#,
    ]
    #expect(wait.map(String.init) == buckets + rest)
  }

  @Test func `the sum never shrinks, which Prometheus would take for a restart`() throws {
    var report = Report.empty
    var last = 0.0
    report.ever.wait.record(2_000_003)
    for more in 1...30 {
      report.ever.wait.record(0, count: more)
      let line = try #require(
        PrometheusText(report).text.split(separator: "\n").first {
          $0.hasPrefix(#"pipe_latency_seconds_sum{stage="wait"}"#)
        })
      let sum = try #require(Double(line.split(separator: " ")[1]))
      #expect(sum >= last)
      last = sum
    }
  }
}
