import Foundation
import TestSupport
import Testing

@Suite("stats --since")
struct StatsWindowTests {
  private let scratch: Scratch
  private let hour = 3_600_000_000

  init() throws {
    scratch = try Scratch()
  }

  @Test("--since leaves out batches settled earlier, and keeps waiting items and counters")
  func window() throws {
    var notes = StatsLog()
    notes.add(service: 5000, items: 40, ago: 5 * hour)
    notes.add("buried", service: 5000, items: 7, ago: 4 * hour)
    notes.add(service: 2000, items: 3, ago: hour / 2)
    notes.add("retried", service: 2000, items: 2, ago: hour / 2)
    try notes.write(to: scratch)
    try scratch.store("1", "2")
    let all = try scratch.figures()
    #expect(all.settled == settled(43, failed: 9) && all.isNull("window/since_seconds"))
    #expect(all["window/seconds"].map { abs($0 - 5 * 3600) < 600 } == true)
    let some = try scratch.figures("--since", "1h")
    #expect(some["window/since_seconds"] == 3600)
    #expect(some["success/acknowledged"] == 3 && some["success/failed"] == 2)
    #expect(some["latency/service/count"] == 3)
    #expect(some["counters/pipe_acknowledged_items_total"] == 43)
    #expect(some["counters/pipe_failed_items_total"] == 9)
    #expect(some.items("ready") == [0, 2, 0])
    // The window begins with the first record in it, half an hour ago.
    let seconds = some["window/seconds"] ?? 0
    #expect(abs(seconds - 1800) < 600)
    #expect(some["rates/out_per_second"].map { abs($0 * seconds - 3) < 0.01 } == true)
  }

  @Test("--since says that nothing happened, and rates are not measured")
  func nothing() throws {
    var notes = StatsLog()
    notes.add(service: 5000, items: 40, ago: 5 * hour)
    try notes.write(to: scratch)
    let figures = try scratch.figures("--since", "1m")
    #expect(figures["window/since_seconds"] == 60 && figures.isNull("window/seconds"))
    #expect(figures.isNull("rates/in_per_second") && figures["success/acknowledged"] == 0)
    #expect(figures.isNull("success/ratio") && figures.isNull("latency/total/mean"))
    let table = try scratch.pipe("stats", "--since", "1m").expect()
    #expect(table.output.contains("\nnothing arrived and nothing was settled\n"), table.story)
  }

  @Test("--since longer than the age of the queue takes everything, with rates over that age")
  func older() throws {
    try scratch.store("1", "2", "3", "4")
    try scratch.pipe("consume", "--", "true").expect()
    let figures = try scratch.figures("--since", "30d")
    #expect(figures["window/since_seconds"] == 2_592_000 && figures["success/acknowledged"] == 4)
    #expect(figures["window/seconds"].map { $0 > 0 && $0 < 600 } == true)
    let seconds = figures["window/seconds"] ?? 0
    #expect(figures["rates/in_per_second"].map { abs($0 * seconds - 4) < 0.01 } == true)
  }

  @Test("stats without --since shows when records begin, however old the last one is")
  func began() throws {
    var notes = StatsLog()
    notes.add(service: 2000, ago: 50 * hour)
    notes.add(service: 2000, ago: 49 * hour)
    try notes.write(to: scratch)
    let run = try scratch.pipe("stats").expect()
    let start = Date(timeIntervalSinceNow: -50 * 3600)
    let text = ISO8601DateFormatter().string(from: start).prefix(13).replacing("T", with: " ")
    #expect(
      run.lines.contains { $0.hasPrefix("since \(text):") && $0.hasSuffix(" UTC (1 h)") })
    #expect(run.output.contains("\nout           2.00 items/h\n"), run.story)
  }
}
