import Foundation
import Testing

@Suite("the file that keeps the pace")
struct PaceFileTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  @Test("goes by the wall clock after the machine was started anew")
  func boot() throws {
    try scratch.store("1", "2")
    try scratch.sh("pipe consume -n 1 --every 1h").expect("1\n")
    let other = "00000000-aaaa-bbbb-cccc-000000000000"
    try scratch.rewritePace(startedAgo: 60, boot: other)
    let seconds = try scratch.untilTurn()
    #expect(seconds > 3400 && seconds <= 3540, "\(seconds)")
    try scratch.rewritePace(startedAgo: 3600, boot: other)
    #expect(try scratch.untilTurn() == 0)
    try scratch.rewritePace(startedAgo: -86_400, boot: other)
    #expect(try scratch.untilTurn() <= 3600, "the clock was set back since: no longer than a turn")
    try scratch.pipe("batch", "--hold", "1h", "-n", "1").expect()
    #expect(try scratch.untilTurn() == -1, "nothing is left")
  }

  @Test("begins anew where its file says nothing", arguments: ["", "x\n", "\0\0\0", "cut", "gone"])
  func garbled(text: String) throws {
    try scratch.store("1", "2", "3")
    try scratch.sh("pipe consume -n 1 --every 1h").expect("1\n")
    let whole = try scratch.read("queue/pace")
    if text == "gone" {
      try scratch.sh("rm queue/pace").expect("")
    } else {
      try scratch.write(
        text == "cut" ? Array(whole.dropLast(9)) : Array(text.utf8), to: "queue/pace")
    }
    #expect(try scratch.untilTurn() == 0)
    try scratch.sh("pipe consume -n 1 --every 1h").expect("2\n")
    #expect(try scratch.untilTurn() > 3500)
    #expect(try scratch.read("queue/pace").count == whole.count)
  }
}

extension Scratch {
  /// Seconds until a batch could start that comes an hour after the last one; -1 where none is ready.
  func untilTurn() throws -> Double {
    let shown = try pipe("batch", "--dry-run", "-n", "1", "--every", "1h").objects()
    return shown.first?["at"] as? Double ?? -1
  }

  /// Writes the file anew: `boot`: that of another boot, whose clock began elsewhere.
  func rewritePace(startedAgo: Double = 0, boot: String? = nil) throws {
    var words = String(decoding: try read("queue/pace"), as: UTF8.self)
      .split(separator: " ").map(String.init)
    let ago = Int64(startedAgo * 1e6)
    words[1] = boot == nil ? String(Int64(words[1])! - ago) : String(repeating: "0", count: 18)
    words[2] = String(Int64(words[2])! - ago)
    for index in 1...2 where words[index].count < 18 {
      words[index] = String(repeating: "0", count: 18 - words[index].count) + words[index]
    }
    words[0] = boot ?? words[0]
    try write(words.joined(separator: " "), to: "queue/pace")
  }
}
