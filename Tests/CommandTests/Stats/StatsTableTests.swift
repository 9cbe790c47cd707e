import Foundation
import TestSupport
import Testing

@Suite("stats")
struct StatsTableTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private static let members = [
    ["items"], ["ready", "claimed", "later", "dead", "done", "lost"].flatMap { [$0] + priorities },
    ["oldest_ready_seconds"], priorities, ["rates", "in_per_second", "out_per_second"],
    ["latency"], ["wait", "service", "total"].flatMap { [$0] + distribution },
    ["success", "acknowledged", "failed", "ratio", "low", "high"],
    [
      "counters", "ingested_rows_total", "failed_validations_total", "ingestion_errors_total",
      "pipe_accepted_items_total", "pipe_acknowledged_items_total", "pipe_failed_items_total",
    ],
    ["window", "since_seconds", "seconds"], ["ages", "bounds_seconds"], priorities,
  ].flatMap { $0 }
  private static let priorities = ["HIGH", "MEDIUM", "LOW"]
  private static let distribution = ["count", "mean", "p50", "p90", "p99", "p99.9", "max"]

  @Test("stats shows zeros for a new queue, and null where nothing was measured")
  func fresh() throws {
    try scratch.prepare("init")
    let zeros = "{\"HIGH\":0,\"MEDIUM\":0,\"LOW\":0}"
    let items = ["ready", "claimed", "later", "dead", "done", "lost"].map { "\"\($0)\":\(zeros)" }
    let none =
      #"{"count":0,"mean":null,"p50":null,"p90":null,"p99":null,"p99.9":null,"max":null}"#
    let column = "[0,0,0,0,0,0,0,0,0,0]"
    try scratch.pipe("stats", "--json").expect(
      #"{"items":{\#(items.joined(separator: ","))},"#
        + #""oldest_ready_seconds":{"HIGH":null,"MEDIUM":null,"LOW":null},"#
        + #""rates":{"in_per_second":null,"out_per_second":null},"#
        + #""latency":{"wait":\#(none),"service":\#(none),"total":\#(none)},"#
        + #""success":{"acknowledged":0,"failed":0,"ratio":null,"low":null,"high":null},"#
        + #""counters":{"ingested_rows_total":0,"failed_validations_total":0,"#
        + #""ingestion_errors_total":0,"pipe_accepted_items_total":0,"#
        + #""pipe_acknowledged_items_total":0,"#
        + #""pipe_failed_items_total":0},"window":{"since_seconds":null,"seconds":null},"#
        + #""ages":{"bounds_seconds":[1.0,2.0,4.0,8.0,16.0,32.0,64.0,128.0,256.0],"#
        + #""HIGH":\#(column),"MEDIUM":\#(column),"LOW":\#(column)}}"# + "\n")
    let table = try scratch.pipe("stats").expect()
    #expect(
      table.output.contains("\nrates, latency and success are not measured yet\n"), table.story)
  }

  @Test("stats --json prints one line with the promised members in order")
  func order() throws {
    try scratch.store("1", "2", #"{"ids":[3,4],"priority":"LOW"}"#)
    try scratch.pipe("consume", "-n", "2", "--", "true").expect()
    let run = try scratch.pipe("stats", "--json").expect()
    #expect(run.lines.count == 1 && run.output.members == Self.members, run.story)
    try scratch.sh("pipe stats --json | jq -c '[.items.ready.LOW, .latency.total.count]'").expect(
      "[2,2]\n")
  }

  @Test("stats shows no age and nothing that waits for an emptied queue")
  func emptied() throws {
    try scratch.store("1", "2", "3")
    try scratch.sh("pipe consume > /dev/null").expect()
    let figures = try scratch.figures()
    #expect(figures.items("ready") == [0, 0, 0] && figures.items("done") == [0, 3, 0])
    #expect(figures.priorities("oldest_ready_seconds") == [nil, nil, nil])
    let table = try scratch.pipe("stats").expect()
    #expect(!table.output.contains("waiting, by age"), table.story)
  }

  @Test("stats prints a table of at most 80 columns, even in a pipe, with the same numbers")
  func table() throws {
    try scratch.prepare("init", "--backoff", "1h..1h")
    try scratch.store(#"{"ids":[1,2,3,4,5],"priority":"HIGH"}"#, "6", "7")
    try scratch.sh("pipe consume -n1 --size 2 -- false").expect(errors: nil, status: 1)
    try scratch.sh("pipe consume -n1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.pipe("consume", "-n", "3", "--", "true").expect()
    try scratch.prepare("batch", "-n", "1", "--size", "1", "--hold", "1h")
    let run = try scratch.pipe("stats").expect()
    #expect(run.lines.allSatisfy { $0.count <= 80 }, run.story)
    let rows = run.lines.map { $0.split(separator: " ").joined(separator: " ") }
    for row in [
      "items HIGH MEDIUM LOW all", "ready 0 0 0 0", "claimed 0 1 0 1", "later 2 0 0 2",
      "dead 1 0 0 1", "done 2 1 0 3", "oldest ready - - - -", "waiting, by age in seconds",
      "latency wait service total", "items 3 3 3", "acknowledged 3",
      "failed 3 2 retried, 1 buried", "success 50.00 % 95 % interval 18.76 % to 81.24 %",
      "rows ingested 3", "failed validations 0", "ingestion errors 0",
    ] {
      #expect(rows.contains(row), "\(row)\n\(run)")
    }
  }

  @Test("stats leaves the queue as it is")
  func harmless() throws {
    try scratch.store("1", "2")
    try scratch.pipe("consume", "-n", "1", "--", "true").expect()
    let names = { try scratch.sh("ls -lR --time-style=full-iso queue").lines }
    let before = try names()
    for form in ["", "--json", "--prometheus", "--plot", "--model", "--chart", "--by tag"] {
      try scratch.sh("pipe stats \(form) > /dev/null").expect()
    }
    #expect(try names() == before)
    try scratch.pipe("consume").expect("2\n")
  }

  @Test("stats exits with 66 if there is no queue")
  func missing() throws {
    for form in ["", "--json", "--prometheus", "--hgrm", "--plot", "--model", "--by tag"] {
      try scratch.sh("pipe stats \(form)").expect(
        "",
        errors: "pipe stats: \(scratch.path)/queue: no such queue; "
          + "pipe init or pipe enqueue creates one\n", status: 66)
    }
  }
}
