import Foundation
import TestSupport
import Testing

@Suite("Many parked items")
struct ParkedItemTests {
  private let scratch: Scratch
  private let count = 540

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "2h..2h")
    let lines = (1...count).map { "\($0)\n" }
    try scratch.prepare("enqueue", "--raw", "--quiet", input: lines.joined())
  }

  private func text(_ numbers: some Sequence<Int>) -> String { numbers.map { "\($0)\n" }.joined() }

  /// Fails every second item, completes the others, and consumes four more to give parking time.
  private func failHalf() throws {
    let result = "(if .items[0].data % 2 == 1 then \"retry\" else \"ok\" end)"
    let filter = "jq --unbuffered -c '.result = \(result)'"
    try scratch.sh("pipe batch --size 1 | \(filter) | pipe ack").expect("")
    try scratch.store("0", "0", "0", "0")
    try scratch.sh("for i in 1 2 3 4; do pipe consume -n 1; done").expect("0\n0\n0\n0\n")
  }

  private var odd: StrideThrough<Int> { stride(from: 1, through: count, by: 2) }

  private func parked() throws -> Int {
    Int(
      try scratch.sh("find queue/later -type f | wc -l").output.trimmingCharacters(in: .newlines))!
  }

  private func ids(_ state: String) throws -> [Int] {
    try scratch.pipe("list", "--state", state).expect().objects().map { $0["data"] as? Int ?? -1 }
  }

  /// Items that stayed in now/, and items that were parked.
  private func split() throws -> (near: Set<Int>, far: Set<Int>) {
    let names = try scratch.names(in: "queue/now").filter { $0.contains(".again.") }
    let near = Set(names.compactMap { Int($0.split(separator: ".")[1]) }.map { $0 + 1 })
    return (near, Set(odd).subtracting(near))
  }

  @Test("parked items do not burden now/, and all return when due, in lane order")
  func parksAndComes() throws {
    try failHalf()
    #expect(try parked() > 128)
    let waiting = try scratch.names(in: "queue/now").filter { $0.contains(".again.") }
    #expect(waiting.count <= 256)
    try scratch.pipe("consume").expect("")
    #expect(try ids("later") == Array(odd))
    try makeDue(scratch.path("queue"))
    #expect(try ids("later") == [] && ids("ready") == Array(odd))
    try scratch.store("541")
    let (near, far) = try split()
    let all = try scratch.sh("pipe consume -n 1000 --size 1").expect().lines.compactMap { Int($0) }
    #expect(all.sorted() == Array(odd) + [541])
    #expect(all.filter(near.contains) == near.sorted())
    #expect(all.filter(far.contains) == far.sorted())
    #expect(all.last == 541)
    #expect(try parked() == 0)
    try scratch.pipe("list").expect("")
  }

  @Test("list, status and explain show parked items as if they were in now/")
  func told() throws {
    try failHalf()
    let name = try #require(try scratch.sh("find queue/later -type f").expect().lines.first)
    let number = try #require(
      name.split(separator: "/").last?.split(separator: ".").dropFirst().first.flatMap { Int($0) })
    let line = "pipe list --state later --state done | jq -r 'select(.data == \(number + 1)).id'"
    let id = try #require(try scratch.sh(line).expect().lines.first)
    #expect(try scratch.words(id) == ["triggered", "triggered"])
    #expect(try scratch.fates(id) == ["1 later"])
    let run = try scratch.runs(id)[0]
    #expect(run["attempts"] as? Int == 1 && (run["history"] as? [Any])?.count == 1)
    #expect((run["in_seconds"] as? Double ?? 0) > 3000)
    #expect(try scratch.one("status", id)["attempts"] as? Int == 1)
    try makeDue(scratch.path("queue"))
    #expect(try scratch.fates(id) == ["1 ready"])
    #expect(try scratch.runs(id)[0]["ahead"] as? Int ?? .max <= number / 2)
    try scratch.sh("pipe consume -n 1000 --size 1 --envelope | jq .attempt | sort | uniq -c")
      .expect(
        "    270 2\n")
  }

  @Test("parked items return even if the mark that points to them is gone")
  func noMark() throws {
    try failHalf()
    try scratch.sh("rm queue/now/later.*; pipe consume; ls queue/now | grep -c ^later").expect(
      "1\n")
    try makeDue(scratch.path("queue"))
    try scratch.sh("rm queue/now/later.*; pipe consume --size 1 -n 1000 | sort -n").expect(
      text(odd))
  }

  @Test("due items wake a follower, even if all of them are parked")
  func follower() throws {
    try failHalf()
    try makeDue(scratch.path("queue"))
    let child = try scratch.start("consume", "--follow", "-n", "270", "--size", "1")
    #expect(child.finish().expect().lines.compactMap { Int($0) }.sorted() == Array(odd))
  }

  @Test(
    "parked items survive the death of the process that moves them, at any moment",
    .needsStrace)
  func killed() throws {
    let lines = try scratch.pipe("batch", "--size", "1", "--hold", "1h").expect().output
    try scratch.pipe("ack", "--retry", input: lines).expect("")
    // Each round holds item 0 for no time, and that counts as an attempt.
    try scratch.prepare("init", "--retries", "1000")
    try scratch.store("0")
    var kills = 0
    var seed: UInt64 = 3
    while kills < 24 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let call = ["renameat2", "openat2", "fsync", "fdatasync", "unlinkat", "write"][
        Int(seed >> 33) % 6]
      let number = 1 + Int(seed >> 40) % 140
      let inject = "-e trace=\(call) -e inject=\(call):signal=KILL:when=\(number)"
      let run = try scratch.sh(
        "strace -o /dev/null \(inject) pipe batch -n 1 --hold 0s > /dev/null")
      kills += 1
      #expect([.exited(0), .exited(137), .killed(9)].contains(run.ending), run.story)
    }
    #expect(try parked() > 0)
    #expect(try Set(ids("later") + ids("ready") + ids("claimed")) == Set(0...count))
    try makeDue(scratch.path("queue"))
    let run = try scratch.sh("pipe consume --size 1 -n 1000")
    run.expect(errors: "")
    #expect(run.lines.compactMap { Int($0) }.sorted() == Array(0...count))
    #expect(try parked() == 0)
  }
}
