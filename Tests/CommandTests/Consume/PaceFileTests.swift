import Foundation
import TestSupport
import Testing

@Suite("The pace file")
struct PaceFileTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  @Test("the pace goes by the wall clock after a reboot")
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

  @Test(
    "the pace starts again if its file is empty, garbled, cut or gone",
    arguments: ["", "x\n", "\0\0\0", "cut", "gone"])
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

extension PaceFileTests {
  @Test("a pace file with one changed byte is ignored: the next batch starts at once")
  func damage() throws {
    try scratch.sh("pipe init; seq 3 | pipe enqueue --raw > receipts").expect("")
    try scratch.sh("pipe consume -n 1 --every 1h; cp queue/pace whole").expect("1\n")
    let id = try #require(try scratch.sh("tail -n 1 receipts | cut -d '\"' -f 4").lines.first)
    let whole = try scratch.read("whole")
    for byte in whole.indices {
      var pace = whole
      pace[byte] ^= [1, 8, 9][byte % 3]
      try scratch.write(pace, to: "pace.\(byte)")
    }
    try scratch.sh(
      """
      for pace in pace.*; do
        cp $pace queue/pace
        turn=$(pipe batch --dry-run -n 1 --every 1h | grep -o '"at":[^,}]*')
        [ "$turn" = '"at":0.0' ] || echo "$pace: $turn"
      done
      for pace in pace.*[05]; do
        cp $pace queue/pace
        pipe explain --json \(id) > shown || echo "$pace: status $?"
        grep -q '"pace":null' shown || cat shown
      done
      """
    ).expect("")
    try scratch.sh("cp pace.50 queue/pace; pipe consume -n 1 --every 1h").expect("2\n")
    #expect(try scratch.untilTurn() > 3500)
  }

  @Test("a pace line of an earlier version, which had no checksum, is ignored")
  func earlier() throws {
    try scratch.store("1", "2")
    try scratch.sh("pipe consume -n 1 --every 1h").expect("1\n")
    try scratch.sh("cut -d ' ' -f 2- queue/pace > old; cp old queue/pace").expect("")
    #expect(try scratch.untilTurn() == 0)
    try scratch.sh("pipe consume -n 1 --every 1h").expect("2\n")
  }

  @Test("a clock set back across a reboot does not stop the pace forever")
  func setBack() throws {
    try scratch.store("1", "2")
    try scratch.sh("pipe consume -n 1 --every 1h").expect("1\n")
    try scratch.rewritePace(
      startedAgo: -86_400, boot: "00000000-aaaa-bbbb-cccc-000000000000")
    try scratch.sh("pipe consume -n 1 --every 50ms --follow").expect("2\n")
  }

  @Test("the pace allows intervals of a century, and thousands of them")
  func century() throws {
    try scratch.store("1")
    try scratch.sh("pipe consume -n 1 --every 36500d; seq 5000 | pipe enqueue --raw > receipts")
      .expect("1\n")
    let last = try #require(try scratch.sh("tail -n 1 receipts | cut -d '\"' -f 4").lines.first)
    for form in ["batch --dry-run --size 1 -n 5000 --every 36500d", "explain --json \(last)"] {
      try scratch.sh("pipe \(form) > shown").expect("")
    }
  }
}

extension Scratch {
  /// Seconds until a batch with an interval of an hour could start; -1 if no item is ready.
  func untilTurn() throws -> Double {
    let shown = try pipe("batch", "--dry-run", "-n", "1", "--every", "1h").objects()
    return shown.first?["at"] as? Double ?? -1
  }

  /// Rewrites the pace file. `boot`: the id of another boot, whose clock began elsewhere.
  func rewritePace(startedAgo: Double = 0, boot: String? = nil) throws {
    var words = String(decoding: try read("queue/pace"), as: UTF8.self)
      .split(separator: " ").dropFirst().map(String.init)
    let ago = Int64(startedAgo * 1e6)
    words[1] = boot == nil ? String(Int64(words[1])! - ago) : String(repeating: "0", count: 18)
    words[2] = String(Int64(words[2])! - ago)
    for index in 1...2 where words[index].count < 18 {
      words[index] = String(repeating: "0", count: 18 - words[index].count) + words[index]
    }
    words[0] = boot ?? words[0]
    let rest = " " + words.joined(separator: " ")
    let sum = checksum(String(rest.dropLast()))
    try write(sum + rest, to: "queue/pace")
  }
}
