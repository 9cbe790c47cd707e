import Foundation
import TestSupport
import Testing

@Suite("The pace of a queue")
struct PaceTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private func store(_ count: Int) throws {
    let lines = (1...count).map { "\($0)\n" }
    try scratch.prepare("enqueue", "--raw", "--quiet", input: lines.joined())
  }

  private func consumer(_ every: String) throws -> Child {
    try scratch.start("consume", "--follow", "--every", every, "--", "sh", "-c", stamp)
  }

  private func stamps() throws -> [Stamp] { try scratch.lines(of: "log").map(Stamp.init) }

  /// Start n comes no sooner than n intervals after `start`, which is not after the first one.
  private func expectTurns(_ stamps: [Stamp], from start: Double, every: Double) {
    for (turn, stamp) in stamps.sorted(by: { $0.time < $1.time }).enumerated() {
      #expect(stamp.time >= start + every * Double(turn) - 0.01, "turn \(turn): \(stamp)")
    }
  }

  @Test("the pace is kept when a consumer is killed and another one starts")
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

  @Test("two consumers share one pace: together they start at most one batch per interval")
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

  @Test("consume and batch share the pace of a queue")
  func mixed() throws {
    try store(4)
    try scratch.sh("pipe consume -n 1 --every 1h").expect("1\n")
    let child = try scratch.start("batch", "--every", "1h", "--follow")
    try child.waitUntilWatching()
    #expect(try scratch.untilTurn() > 3500)
    try scratch.sh("pipe consume -n 1").expect("2\n", "who has no pace does not wait")
    child.signal(SIGTERM)
    child.finish().expect("", "its turn has not come")
  }

  @Test("a consumer without a pace moves the pace as well")
  func unpaced() throws {
    try store(3)
    #expect(try scratch.untilTurn() == 0, "nothing was started yet")
    try scratch.sh("pipe consume -n 1").expect("1\n")
    try scratch.rewritePace(startedAgo: 7200)
    #expect(try scratch.untilTurn() == 0)
    try scratch.sh("pipe consume -n 1 -- true").expect("")
    #expect(try scratch.untilTurn() > 3500)
  }

  @Test("the pace does not catch up after a pause: one batch at once, the next an interval later")
  func noBurst() throws {
    try store(1)
    let child = try consumer("400ms")
    try wait(until: { try stamps().count == 1 }, "the first batch")
    try wait(until: { try scratch.untilTurn() < 3600 - 1.3 }, "three turns")
    let start = uptime()
    try store(4)
    try wait(until: { try stamps().count == 5 }, "the others")
    child.signal(SIGTERM)
    child.finish().expect("")
    expectTurns(Array(try stamps().dropFirst()), from: start, every: 0.4)
  }

  @Test("a consumer that finds nothing ready uses up no turn")
  func emptyTurns() throws {
    try scratch.prepare("init")
    try scratch.pipe("consume", "--every", "1h").expect("")
    try store(1)
    #expect(try scratch.untilTurn() == 0)
    try scratch.pipe("consume", "--every", "1h").expect("1\n")
    try store(1)
    #expect(try scratch.untilTurn() > 3500)
  }
}
