import Foundation
import TestSupport
import Testing

@Suite("stats --prometheus")
struct StatsPrometheusTests {
  private let scratch: Scratch

  /// A queue with some of everything.
  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
    try scratch.store(#"{"ids":[1,2,3,4],"priority":"HIGH"}"#, "5", "6", "7", "8")
    try scratch.pipe("ingest", input: "bad\n").expect("", errors: nil, status: 65)
    try scratch.pipe("consume", "-n", "3", "--", "true").expect("")
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.prepare("batch", "-n", "1", "--size", "1", "--hold", "1h")
  }

  @Test("promtool approves of the metrics", .needs("promtool"))
  func metrics() throws {
    try scratch.sh("pipe stats --prometheus | promtool check metrics").expect("")
    try scratch.sh("pipe init -q new; pipe stats -q new --prometheus | promtool check metrics")
      .expect("")
  }

  @Test("--prometheus has the numbers of --json")
  func numbers() throws {
    let figures = try scratch.figures()
    let text = try scratch.pipe("stats", "--prometheus").expect().output
    for state in ["ready", "claimed", "later", "dead", "done", "lost"] {
      for (priority, count) in zip(["HIGH", "MEDIUM", "LOW"], figures.items(state)) {
        let name = #"pipe_queue_items{state="\#(state)",priority="\#(priority)"}"#
        #expect(text.contains("\n\(name) \(count)\n"))
      }
    }
    for name in figures.root["counters"].flatMap({ $0 as? [String: Any] })?.keys.sorted() ?? [] {
      let value = Int(figures["counters/\(name)"] ?? -1)
      let isShown = ("\n" + text).contains("\n\(name) \(value)\n")
      #expect(isShown || name == "pipe_failed_items_total", "\(name)")
    }
    #expect(text.contains("\npipe_failed_items_total{outcome=\"retried\"} 1\n"))
    #expect(text.contains("\npipe_failed_items_total{outcome=\"buried\"} 1\n"))
    for stage in ["wait", "service", "total"] {
      #expect(text.contains("\npipe_latency_seconds_count{stage=\"\(stage)\"} 3\n"))
      #expect(text.contains("\npipe_latency_seconds_bucket{stage=\"\(stage)\",le=\"+Inf\"} 3\n"))
    }
  }

  @Test(
    "the metrics reach a real Prometheus through the node exporter's text files",
    .needs("prometheus", "prometheus-node-exporter", "python3"))
  func scraped() throws {
    try scratch.sh("mkdir texts; pipe stats --prometheus --output texts/pipe.prom").expect("")
    let servers = try MonitoringServers(scratch)
    let figures = try scratch.figures()
    let rows = figures["counters/ingested_rows_total"]
    try wait(until: { try servers.ask("ingested_rows_total").first == rows }, "the first scrape")
    for state in ["ready", "claimed", "later", "dead", "done", "lost"] {
      let sum = Double(figures.items(state).reduce(0, +))
      try wait(until: { try servers.ask("sum(pipe_queue_items{state='\(state)'})") == [sum] })
    }
    try wait(until: { try servers.ask("pipe_queue_items").count == 18 })
    try wait(until: { try servers.ask("failed_validations_total") == [1] })
    try wait(until: { try servers.ask("node_textfile_scrape_error") == [0] })
    // Later values arrive there, too.
    try scratch.store("9", "10")
    try scratch.sh("pipe stats --prometheus --output texts/pipe.prom").expect("")
    try wait(until: { try servers.ask("ingested_rows_total") == [7] }, "the next scrape")
    try wait(until: { try servers.ask("sum(pipe_queue_items{state='ready'})") == [4] })
    try servers.stop()
  }

  @Test(
    "two queues with labels do not collide in the node exporter",
    .needs("prometheus", "prometheus-node-exporter", "promtool", "python3"))
  func labels() throws {
    try scratch.sh(
      """
      mkdir texts
      seq 3 | pipe enqueue -q other --raw --quiet
      pipe stats --prometheus --label mailer --output texts/pipe-mailer.prom
      pipe stats -q other --prometheus --label 'o"t\\her' --output texts/pipe-other.prom
      for file in texts/*; do promtool check metrics < $file; done
      """
    ).expect("")
    let servers = try MonitoringServers(scratch)
    let rows = "ingested_rows_total{queue='mailer'}"
    try wait(until: { try servers.ask(rows) == [5] }, "the first scrape")
    try wait(until: { try servers.ask(#"ingested_rows_total{queue='o"t\\her'}"#) == [3] })
    try wait(until: { try servers.ask("count(pipe_queue_items) by (queue)") == [18, 18] })
    try wait(until: {
      try servers.ask("count(pipe_latency_seconds_bucket{queue='mailer'})") == [63]
    })
    try wait(until: { try servers.ask("node_textfile_scrape_error") == [0] })
    try servers.stop()
  }

  @Test("the gateway has the same label, and without --label the metrics are as ever")
  func gateway() throws {
    let plain = try Gateway(scratch).get("/metrics").body
    let gateway = try Gateway(scratch, "--label", "mailer")
    let labelled = try gateway.get("/metrics").body
    #expect(labelled.contains("\ningested_rows_total{queue=\"mailer\"} 5\n"))
    // The age of an item grows meanwhile.
    let fixed = { (text: String) in
      text.split(separator: "\n").filter { !$0.hasPrefix("pipe_oldest") }
    }
    let without = labelled.replacing(#"{queue="mailer"}"#, with: "")
      .replacing(#"queue="mailer","#, with: "")
    #expect(fixed(without) == fixed(plain))
    #expect(!plain.contains("queue="))
    for arguments in [["stats", "--label", "a"], ["stats", "--prometheus", "--label", ""]] {
      try scratch.run([Binary.path] + arguments).expect("", errors: nil, status: 64)
    }
  }
}
