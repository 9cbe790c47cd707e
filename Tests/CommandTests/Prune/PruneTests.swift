import Foundation
import TestSupport
import Testing

@Suite("prune")
struct PruneTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init", "--retain", "0s")
  }

  /// Fills more than one segment in one lane.
  private func storeMuch() throws {
    let line = "\"" + String(repeating: "x", count: 1 << 19) + "\"\n"
    try scratch.pipe("enqueue", "--raw", "--quiet", input: String(repeating: line, count: 20))
      .expect("")
  }

  private func segments(_ lane: String = "MEDIUM") throws -> [String] {
    try scratch.names(in: "queue/segments/\(lane)/000")
  }

  @Test("prune removes all that is done, even the last segments, and the queue stays usable")
  func all() throws {
    for round in 1...3 {
      for lane in ["HIGH", "MEDIUM", "LOW"] {
        try scratch.store(#"{"n":\#(round),"priority":"\#(lane)"}"#)
      }
      try storeMuch()
      try scratch.sh("pipe consume | wc -l").expect("23\n")
      let run = try scratch.pipe("prune", "--json")
      let removed = try #require(try run.expect().objects().first?["removed"] as? [String: Int])
      #expect((removed["segments"] ?? 0) >= 3 && (removed["bytes"] ?? 0) > 10_000_000, run.story)
      try scratch.pipe("prune").expect("0 segments removed: 0 bytes\n")
      try scratch.sh("cat queue/segments/*/*/* | wc -c").expect("0\n")
    }
    try scratch.store("1", "2")
    try scratch.pipe("list").expect(nil)
    try scratch.pipe("consume").expect("1\n2\n")
    #expect(try scratch.count("done") == 71)
  }

  @Test(
    "prune keeps what is needed, from the oldest such segment on, and says why",
    arguments: [
      ("undone", "pipe consume -n 3 > log"), ("undone", "pipe batch -n 1 --hold 1h > log"),
      ("dead", "pipe consume -n 1 -- sh -c 'exit 65' 2> log; pipe consume > log"),
      ("retained", "pipe init --retain 1d; pipe consume > log"),
    ])
  func kept(reason: String, script: String) throws {
    try scratch.store(count: 9)
    try storeMuch()
    try scratch.sh("\(script); true").expect()
    let before = try scratch.sh("find queue/segments -type f | sort").output
    let run = try scratch.pipe("prune", "--json").expect()
    let kept = try #require(try run.objects().first?["kept"] as? [[String: Any]])
    #expect(kept.count == 1 && kept[0]["reason"] as? String == reason, run.story)
    #expect(
      kept[0]["priority"] as? String == "MEDIUM", run.story)
    #expect(try scratch.sh("find queue/segments -type f | sort").output == before)
    let text = try scratch.pipe("prune").expect().lines
    #expect(text.count == 2 && text[1].hasPrefix("MEDIUM keeps "), "\(text)")
  }

  @Test("prune keeps the segments of parked items until they are done")
  func parked() throws {
    try scratch.prepare("init", "--backoff", "1h..1h")
    try scratch.store(count: 300)
    let held = try scratch.pipe("batch", "--size", "1", "--hold", "1h").output
    try scratch.pipe("ack", "--retry", input: held).expect("")
    try scratch.sh("pipe prune --json | grep -c removed.:..segments.:0").expect("1\n")
    for waiting in [[Waiting.retries], [.retries, .parked]] {
      try makeDue(scratch.path("queue"), waiting)
      try scratch.sh("pipe consume --size 1 -n 1000 > log").expect()
    }
    try scratch.sh("pipe prune | head -n 1").expect(
      "1 segment removed: 23590 bytes\n")
  }

  @Test("prune removes a segment of done items even if the next one holds an unfinished item")
  func boundary() throws {
    try storeMuch()
    try scratch.store("1")
    #expect(try segments().count == 2)
    try scratch.sh("pipe consume -n 20 | wc -l").expect("20\n")
    try scratch.sh("pipe prune | cut -d ' ' -f 1-3").expect("1 segment removed:\nMEDIUM keeps 1\n")
    #expect(try segments() == ["000002"])
    try scratch.pipe("consume").expect("1\n")
  }

  /// Stores records in several segments, of which most are done, two are dead and one waits for its time. Returns
  /// the id of a done one.
  private func storeBetween() throws -> String {
    try scratch.prepare("init", "--backoff", "1h..1h")
    let pad = String(repeating: "x", count: 900)
    let lines = (0..<20_000).map { "[\($0),\"\(pad)\"]\n" }.joined()
    let ids = try scratch.pipe("enqueue", "--raw", input: lines).mustSucceed().receipts
    try scratch.sh(
      """
      for status in 65 65 1
      do
        pipe consume -n 1 -- sh -c "exit $status" 2> errors
        pipe consume --size 6000 -n 1 > log
      done
      """
    ).expect()
    return ids[3000]
  }

  private let states = """
    pipe list; pipe list --state later; pipe dead; pipe list --state dead
    pipe stats --json | jq .states
    """

  @Test("prune frees the space of done items between others, which stay as they are")
  func punched() throws {
    let done = try storeBetween()
    let before = try scratch.sh(states).expect().output
    let used = "du -k -s queue/segments | cut -f 1"
    let full = try #require(try Int(scratch.sh(used).expect().lines[0]))
    let object = try #require(try scratch.pipe("prune", "--json").expect().objects().first)
    let freed = try #require(object["punched"] as? Int)
    #expect(freed > 7_000_000, "\(object)")
    let left = try #require(try Int(scratch.sh(used).expect().lines[0]))
    #expect((full - left) * 1024 >= freed - 65536)
    try scratch.sh(states).expect(before)
    try scratch.sh("pipe prune | grep -c freed").expect("0\n", status: 1)
    try scratch.pipe("fsck").expect("")
    try scratch.pipe("fsck", "--repair").expect("")
    try scratch.pipe("status", done).expect(
      "", errors: "pipe status: \(done): no such id in \(scratch.path("queue"))\n", status: 1)
    try scratch.sh("pipe list --state done > log").expect()
    // A copy may have zeros in the place of holes.
    try scratch.sh("cp -a --sparse=never queue copy; pipe fsck -q copy").expect("")
    try scratch.sh("pipe retry --all > log; pipe consume > log; cut -d , -f 1 log | head -n 3")
      .expect("[0\n[6001\n[18003\n")
    try scratch.sh("for s in ready later; do pipe list --state $s | wc -l; done").expect("0\n1\n")
    try scratch.pipe("fsck").expect("")
  }

  @Test("prune that is killed while it frees space loses nothing", .needsStrace)
  func killedBetween() throws {
    _ = try storeBetween()
    let before = try scratch.sh(states).expect().output
    try scratch.sh("cp -a queue full").expect()
    // A power cut must not take back the name of a done item whose line is gone.
    try scratch.sh(
      "strace -o calls -e trace=syncfs,fallocate pipe prune > log; cut -c 1-6 calls | uniq"
    )
    .expect("syncfs\nfalloc\n+++ ex\n")
    for call in ["fallocate", "utimensat", "syncfs"] {
      for number in 1...3 {
        try scratch.sh("rm -rf queue; cp -a full queue").expect()
        let inject = "-e trace=\(call) -e inject=\(call):signal=KILL:when=\(number)"
        try scratch.sh("strace -o /dev/null \(inject) pipe prune > log; true").expect(errors: nil)
        try scratch.pipe("fsck").expect("", "killed at \(call) \(number)")
        try scratch.sh(states).expect(before, "killed at \(call) \(number)")
      }
    }
  }

  @Test("prune continues with the other lanes when one is damaged, and says so")
  func damaged() throws {
    try scratch.store("1", #"{"n":2,"priority":"HIGH"}"#)
    try scratch.sh("pipe consume | wc -l; rm -r queue/segments/HIGH; touch queue/segments/HIGH")
      .expect("2\n")
    let run = try scratch.pipe("prune")
    #expect(run.ending != .exited(0) && run.errors.contains("segments/HIGH"), run.story)
    #expect(try segments() == ["000002"])
  }

  @Test(
    "prune loses nothing whenever it is killed", .needsStrace)
  func killed() throws {
    var stored = 0
    for call in ["renameat2", "unlinkat", "openat2", "fsync", "fdatasync"] {
      for number in 1...12 {
        try scratch.store("\(stored)", #"{"n":\#(stored),"priority":"LOW"}"#)
        try scratch.sh("pipe consume | wc -l").expect("2\n")
        let inject = "-e trace=\(call) -e inject=\(call):signal=KILL:when=\(number)"
        try scratch.sh("strace -o /dev/null \(inject) pipe prune > log; true").expect(errors: nil)
        stored += 2
        try scratch.store("\(stored)")
        try scratch.pipe("consume").expect("\(stored)\n")
        stored += 1
      }
    }
    #expect(try scratch.count("done") == stored)
  }

  @Test("prune may run beside writers and consumers, and nothing is lost or delivered twice")
  func beside() throws {
    let consumer = try scratch.start("consume", "--follow", "--", "cat")
    let pruner = try scratch.start(
      line: "bash -c 'while pipe prune > log; do [ ! -e stop ] || exit 0; done'")
    for round in 0..<20 {
      let lines = (0..<50).map { "\(round * 50 + $0)\n" }.joined()
      try scratch.pipe("enqueue", "--raw", "--quiet", input: lines).expect("")
    }
    try wait(until: { try scratch.unsettled() == 0 }, "all to be done")
    try scratch.write("", to: "stop")
    pruner.finish().expect(nil)
    consumer.signal(SIGTERM)
    #expect(consumer.finish().lines.compactMap { Int($0) }.sorted() == Array(0..<1000))
  }
}
