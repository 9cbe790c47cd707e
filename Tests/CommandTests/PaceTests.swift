import Foundation
import Testing

@Suite("the pace of a queue")
struct PaceTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private func store(_ count: Int) throws {
    let lines = (1...count).map { "\($0)\n" }
    try scratch.prepare("enqueue", "--raw", "--quiet", input: lines.joined())
  }

  /// Seconds until a batch could start that comes an hour after the last one.
  private func left() throws -> Double {
    let shown = try scratch.pipe("batch", "--dry-run", "-n", "1", "--every", "1h").objects()
    return shown.first?["at"] as? Double ?? -1
  }

  private func consumer(_ every: String) throws -> Child {
    try scratch.start("consume", "--follow", "--every", every, "--", "sh", "-c", stamp)
  }

  private func stamps() throws -> [Stamp] { try scratch.lines(of: "log").map(Stamp.init) }

  /// The nth start was not sooner than n turns after `start`, which was not after the first.
  private func expectTurns(_ stamps: [Stamp], from start: Double, every: Double) {
    for (turn, stamp) in stamps.sorted(by: { $0.time < $1.time }).enumerated() {
      #expect(stamp.time >= start + every * Double(turn) - 0.01, "turn \(turn): \(stamp)")
    }
  }

  @Test("is kept when a consumer is killed and another one begins")
  func restart() throws {
    try store(4)
    let start = uptime()
    for turn in 1...4 {
      let child = try consumer("500ms")
      try wait(until: { try stamps().count >= turn }, "a batch")
      child.signal(SIGKILL)
      #expect(child.reap() == .killed(SIGKILL))
    }
    expectTurns(try stamps(), from: start, every: 0.5)
  }

  @Test("is one for two consumers: together they start no more than one batch a turn")
  func two() throws {
    try store(8)
    let start = uptime()
    let children = [try consumer("300ms"), try consumer("300ms")]
    try wait(until: { try stamps().count >= 8 }, "the last batch")
    for child in children {
      child.signal(SIGTERM)
      child.finish().expect("")
    }
    expectTurns(try stamps(), from: start, every: 0.3)
    #expect(try stamps().map(\.data).sorted() == (1...8).map(String.init))
  }

  @Test("is that of the queue also between consume and batch")
  func mixed() throws {
    try store(4)
    try scratch.sh("pipe consume -n 1 --every 1h").expect("1\n")
    let child = try scratch.start("batch", "--every", "1h", "--follow")
    try child.untilWatching()
    #expect(try left() > 3500)
    try scratch.sh("pipe consume -n 1").expect("2\n", "who has no pace does not wait")
    child.signal(SIGTERM)
    child.finish().expect("", "its turn has not come")
  }

  @Test("is moved by who has none")
  func unpaced() throws {
    try store(3)
    #expect(try left() == 0, "nothing was started yet")
    try scratch.sh("pipe consume -n 1").expect("1\n")
    try rewrite(startedAgo: 7200)
    #expect(try left() == 0)
    try scratch.sh("pipe consume -n 1 -- true").expect("")
    #expect(try left() > 3500)
  }

  @Test("makes up for nothing: after a pause one starts at once, and the next a turn later")
  func noBurst() throws {
    try store(1)
    let child = try consumer("400ms")
    try wait(until: { try stamps().count == 1 }, "the first batch")
    try wait(until: { try left() < 3600 - 1.3 }, "three turns")
    let start = uptime()
    try store(4)
    try wait(until: { try stamps().count == 5 }, "the others")
    child.signal(SIGTERM)
    child.finish().expect("")
    expectTurns(Array(try stamps().dropFirst()), from: start, every: 0.4)
  }

  @Test("is not used up by who finds nothing, or gives back what it took")
  func emptyTurns() throws {
    try scratch.prepare("init")
    try scratch.pipe("consume", "--every", "1h").expect("")
    try store(1)
    #expect(try left() == 0)
    try scratch.pipe("consume", "--every", "1h").expect("1\n")
    try store(1)
    #expect(try left() > 3500)
  }

  /// Writes the file anew: `boot`: that of another boot, whose clock began elsewhere.
  private func rewrite(startedAgo: Double = 0, boot: String? = nil) throws {
    var words = String(decoding: try scratch.read("queue/pace"), as: UTF8.self)
      .split(separator: " ").map(String.init)
    let ago = Int64(startedAgo * 1e6)
    words[1] = boot == nil ? String(Int64(words[1])! - ago) : String(repeating: "0", count: 18)
    words[2] = String(Int64(words[2])! - ago)
    for index in 1...2 where words[index].count < 18 {
      words[index] = String(repeating: "0", count: 18 - words[index].count) + words[index]
    }
    words[0] = boot ?? words[0]
    try scratch.write(words.joined(separator: " "), to: "queue/pace")
  }

  @Test("goes by the wall clock after the machine was started anew")
  func boot() throws {
    try store(2)
    try scratch.sh("pipe consume -n 1 --every 1h").expect("1\n")
    let other = "00000000-aaaa-bbbb-cccc-000000000000"
    try rewrite(startedAgo: 60, boot: other)
    let seconds = try left()
    #expect(seconds > 3400 && seconds <= 3540, "\(seconds)")
    try rewrite(startedAgo: 3600, boot: other)
    #expect(try left() == 0)
    try rewrite(startedAgo: -86_400, boot: other)
    #expect(try left() <= 3600, "the clock was set back since: no longer than a turn")
    try scratch.pipe("batch", "--hold", "1h", "-n", "1").expect()
    #expect(try left() == -1, "nothing is left")
  }

  @Test("begins anew where its file says nothing", arguments: ["", "x\n", "\0\0\0", "cut", "gone"])
  func garbled(text: String) throws {
    try store(3)
    try scratch.sh("pipe consume -n 1 --every 1h").expect("1\n")
    let whole = try scratch.read("queue/pace")
    if text == "gone" {
      try scratch.sh("rm queue/pace").expect("")
    } else {
      try scratch.write(
        text == "cut" ? Array(whole.dropLast(9)) : Array(text.utf8), to: "queue/pace")
    }
    #expect(try left() == 0)
    try scratch.sh("pipe consume -n 1 --every 1h").expect("2\n")
    #expect(try left() > 3500)
    #expect(try scratch.read("queue/pace").count == whole.count)
  }
}
