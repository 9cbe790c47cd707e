import Foundation
import TestSupport
import Testing

@Suite("stats --model and --chart")
struct StatsModelTests {
  private let scratch: Scratch
  private let minute = 60_000_000

  init() throws {
    scratch = try Scratch()
  }

  /// Forty items came just now, and forty batches of one item were settled a minute before.
  private func measure(service: Int) throws {
    try scratch.store(count: 40)
    var notes = StatsLog()
    for index in 0..<40 { notes.add(service: service + index, ago: index * minute / 39) }
    try notes.write(to: scratch)
  }

  @Test("--model and --chart say that there are too few samples")
  func few() throws {
    try scratch.store("1", "2")
    try scratch.pipe("consume", "--", "true").expect()
    try scratch.pipe("stats", "--model").expect(
      "too few samples: 2 batches, 30 needed\n")
    #expect(
      try scratch.one("stats", "--model", "--json")["verdict"] as? String == "too few samples")
    let chart = try scratch.pipe("stats", "--chart").expect()
    #expect(chart.lines[1] == "too few periods: 1 with batches, 8 needed", chart.story)
  }

  @Test("--model puts the models beside the measurement if one consumer keeps up")
  func stable() throws {
    try measure(service: 300_000)
    let model = Figures(root: try scratch.one("stats", "--model", "--json"))
    // 40 a minute, 0.3 s each.
    let load = try #require(model["rho"])
    #expect(abs(load - 0.2) < 0.002 && model.root["verdict"] as? String == "stable")
    // M/M/1: 1 / (mu - lambda). M/D/1, since these do not vary, waits half as long as M/M/1.
    #expect(abs((model["mm1/total/mean"] ?? 0) - 0.3 / (1 - load)) < 0.001)
    let wait = try #require(model["mm1/wait/mean"])
    #expect(abs((model["mg1/wait/mean"] ?? 0) - wait / 2) < 0.001)
    #expect(model["mmc/consumers"] == 2)
    let run = try scratch.pipe("stats", "--model").expect()
    #expect(run.lines.allSatisfy { $0.count <= 80 }, run.story)
    for name in ["measured ", "M/M/1 ", "M/G/1 ", "M/M/2, one more consumer "] {
      #expect(run.lines.contains { $0.hasPrefix(name) }, run.story)
    }
  }

  @Test("--model says that one consumer cannot keep up, and how many would suffice")
  func unstable() throws {
    try measure(service: 3_200_000)
    let model = Figures(root: try scratch.one("stats", "--model", "--json"))
    #expect(model.root["verdict"] as? String == "unstable" && model.isNull("mm1"))
    #expect(model["mmc/consumers"] == 3)
    let run = try scratch.pipe("stats", "--model").expect()
    #expect(run.lines.last?.hasPrefix("unstable: one consumer cannot keep up; ") == true)
    #expect(run.lines.last?.hasSuffix(" would be busy, 3 would suffice") == true, run.story)
  }

  @Test("--chart marks the minute that differs, and leaves gaps where nothing was settled")
  func chart() throws {
    var notes = StatsLog()
    for ago in 1...15 where ago != 5 {
      notes.add(service: ago == 7 ? 90_000 : 1000 + ago % 2 * 20, ago: ago * minute)
    }
    try notes.write(to: scratch)
    let line = try scratch.one("stats", "--chart", "-n", "20", "--json")
    let service = line["service"] as? [String: Any] ?? [:]
    let states = (service["periods"] as? [[String: Any]] ?? []).map { $0["state"] as? String }
    #expect(service["verdict"] as? String == "out of control" && service["outside"] as? Int == 1)
    #expect(states.count == 20 && states.compactMap(\.self).count == 14)
    #expect(states.firstIndex(of: "high").map { states[$0 + 2] } == .some(nil))
    let run = try scratch.pipe("stats", "--chart", "-n", "20").expect()
    #expect(run.lines.allSatisfy { $0.count <= 80 } && run.lines.count { $0.contains("*") } == 1)
    #expect(run.output.contains("out of control: 1 period is outside the limits"), run.story)
    let few = try scratch.one("stats", "--chart", "-n", "5", "--json")["service"] as? [String: Any]
    #expect((few?["periods"] as? [Any])?.count == 5)
    #expect(few?["verdict"] as? String == "too few periods")
  }
}
