import Foundation
import TestSupport
import Testing

@Suite("stats --compare")
struct StatsCompareTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  /// Batches of 900 to 1100 µs, multiplied by a factor.
  private func notes(_ tag: String, times factor: Double, count: Int = 21) -> StatsLog {
    var notes = StatsLog()
    for index in 0..<count {
      notes.add(service: Int(Double(900 + index * 10) * factor), items: 5, tag: tag)
    }
    return notes
  }

  private func verdict(_ a: String, _ b: String) throws -> String {
    try scratch.one("stats", "--compare", a, b, "--json")["verdict"] as? String ?? "none"
  }

  @Test("--compare says which of two tags is faster, by how much and how certainly")
  func tags() throws {
    try notes("old", times: 1).write(to: scratch)
    try notes("new", times: 0.8).write(to: scratch)
    #expect(try verdict("old", "new") == "new is 20.0 % faster, p < 0.001")
    #expect(try verdict("new", "old") == "old is 25.0 % slower, p < 0.001")
    #expect(try verdict("old", "old") == "no significant difference (p = 1.0)")
    let run = try scratch.pipe("stats", "--compare", "old", "new").expect()
    #expect(run.lines.allSatisfy { $0.count <= 80 }, run.story)
    #expect(run.output.hasSuffix("\n\nnew is 20.0 % faster, p < 0.001\n"), run.story)
    let line = Figures(root: try scratch.one("stats", "--compare", "old", "new", "--json"))
    #expect(line["a/batches"] == 21 && line["b/batches"] == 21, "batches, not items")
    #expect(line["a/mean"] == 0.001 && line["b/mean"] == 0.0008)
    #expect(line["difference/seconds"] == -0.0002)
  }

  @Test("--compare takes - for batches without a tag")
  func untagged() throws {
    try notes("-", times: 1).write(to: scratch)
    try notes("x", times: 0.5).write(to: scratch)
    #expect(try verdict("-", "x") == "x is 50.0 % faster, p < 0.001")
  }

  @Test("--compare reads two queues as a whole, whatever their tags")
  func queues() throws {
    try notes("x", times: 1, count: 11).write(to: scratch, queue: "a")
    try notes("-", times: 1, count: 10).write(to: scratch, queue: "a")
    try notes("y", times: 0.5).write(to: scratch, queue: "b")
    try scratch.prepare("init")
    let found = try verdict("./a", scratch.path + "/b")
    #expect(found.hasPrefix("\(scratch.path)/b is ") && found.hasSuffix(" faster, p < 0.001"))
    try scratch.sh("pipe stats --compare ./a ./none").expect(
      "", errors: "pipe stats: ./none: no such queue; pipe init or pipe enqueue creates one\n",
      status: 66)
  }

  @Test("--compare draws no conclusion from too few batches")
  func few() throws {
    try notes("a", times: 1, count: 9).write(to: scratch)
    try notes("b", times: 2).write(to: scratch)
    #expect(try verdict("a", "b") == "too few samples: a has 9 batches")
    try scratch.pipe("stats", "--compare", "a", "b").expect(nil)
  }

  @Test("--compare reports a tag without batches and exits with 1")
  func unknown() throws {
    try notes("a", times: 1).write(to: scratch)
    try scratch.pipe("stats", "--compare", "a", "A").expect(
      "",
      errors:
        "pipe stats: A: nothing was settled with this tag; to name a queue, write a / in it\n",
      status: 1)
  }

  @Test("--compare also says which tag succeeds more often")
  func failures() throws {
    var failed = notes("a", times: 1)
    for index in 0..<20 { failed.add("buried", service: 1000 + index, items: 5, tag: "a") }
    try failed.write(to: scratch)
    try notes("b", times: 1).write(to: scratch)
    let found = try verdict("a", "b")
    #expect(
      found
        == "no significant difference (p = 1.0). b succeeds more often, by 48.8 points, p < 0.001")
  }
}
