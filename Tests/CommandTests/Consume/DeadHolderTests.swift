import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Dead holders")
struct DeadHolderTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  /// Kills a `batch` that has handed out `count` batches of one item.
  private func abandon(_ count: Int) throws {
    let child = try scratch.start("batch", "-n", "\(count)", "--size", "1")
    for _ in 0..<count { #expect(child.line() != nil) }
    child.signal(SIGKILL)
    #expect(child.reap() == .killed(SIGKILL))
  }

  @Test("every command reports the items of a dead holder as ready before any consumer runs")
  func reports() throws {
    let id = try scratch.store("1", "2")[0]
    try abandon(1)
    try scratch.sh("pipe list --state claimed").expect("")
    #expect(try scratch.pipe("list", "--state", "ready").lines.count == 2)
    #expect(try scratch.count("ready") == 2 && scratch.count("claimed") == 0)
    #expect(try scratch.words(id) == ["triggered", "triggered"])
    #expect(try scratch.fates(id) == ["1 ready"])
    let plan = try scratch.pipe("batch", "--dry-run", "--size", "1").objects()
    #expect(plan.map { $0["attempt"] as? Int } == [2, 1])
    let figures = try scratch.pipe("stats", "--prometheus").output
    #expect(
      figures.contains(#"pipe_queue_items{state="ready",priority="MEDIUM"} 2"#), "\(figures)")
    try scratch.sh("pipe consume --envelope --size 1 | grep -o '\"attempt\":.'").expect(
      "\"attempt\":2\n\"attempt\":1\n")
  }

  @Test("ack cannot bury an item that a consumer is taking from its dead holder", .needsStrace)
  func reaped() throws {
    try scratch.store("1")
    let batch = try scratch.start("batch", "-n", "1")
    let token = try #require(batch.line()?.object["claim"] as? String)
    batch.signal(SIGKILL)
    #expect(batch.reap() == .killed(SIGKILL))
    // Its first flush is that of the claims which it takes.
    let consumer = try scratch.startStopped(at: "fsync", "consume")
    let lost = "is no longer held: it was already settled, or its holder is gone"
    try scratch.pipe("ack", "--bury", token).expect(
      "", errors: "pipe ack: claim \(token) \(lost)\n", status: 76)
    consumer.signal(SIGCONT)
    consumer.finish().expect("1\n")
    try scratch.pipe("dead").expect("")
  }

  @Test("the command of a dead consumer keeps its items claimed while it lives")
  func command() throws {
    let gate = try Gate(scratch)
    let id = try scratch.store("1")[0]
    let child = try scratch.start(
      "consume", "--", "sh", "-c", "echo started; read go < gate; echo ended")
    #expect(child.line() == "started")
    child.signal(SIGKILL)
    #expect(child.reap() == .killed(SIGKILL))
    #expect(try scratch.fates(id) == ["1 claimed"])
    #expect(try scratch.pipe("batch", "--dry-run").lines.isEmpty)
    gate.letPass()
    #expect(child.line() == "ended")
    try wait(until: { try scratch.fates(id) == ["1 ready"] }, "the end of the command")
  }

  @Test("batch --dry-run omits an item whose holder died at the last attempt: it will be buried")
  func lastAttempt() throws {
    try scratch.prepare("init", "--retries", "0")
    try scratch.store("1", "2")
    try abandon(1)
    let plan = try scratch.pipe("batch", "--dry-run").objects()
    #expect(plan.map(\.data) == [[2]])
    try scratch.pipe("consume").expect("2\n")
    #expect(try scratch.pipe("dead").lines.count == 1)
  }

  @Test("a copy of a queue without owners/ has no holders")
  func copy() throws {
    try scratch.store("1")
    try abandon(1)
    try scratch.sh("rm queue/owners/*; pipe list --state ready | wc -l; pipe consume").expect(
      "1\n1\n")
  }

  @Test("a consumer continues with more dead holders than it may open files")
  func manyDead() throws {
    try scratch.store(0...59)
    let line = """
      for n in $(seq 50); do pipe batch -n 1 --size 1 > batch.$n & done
      until [ "$(cat batch.* | wc -l)" = 50 ]; do :; done
      kill -9 $(jobs -p); wait 2> /dev/null
      ulimit -n 40; pipe consume > all; echo $?; sort -n all | cmp - <(seq 0 59) && echo same
      """
    try scratch.sh(line).expect("0\nsame\n", errors: nil)
    #expect(try scratch.unsettled() == 0)
  }

  @Test(
    "a slot that is not a regular file has no holder and is reported once",
    arguments: [
      "mkdir", "mkfifo", "ln -s /dev/null",
      "python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'",
    ])
  func slot(made: String) throws {
    let id = try scratch.store("1", "2", "3")[0]
    try abandon(1)
    try scratch.sh("rm queue/owners/0; \(made) queue/owners/0").expect()
    #expect(try scratch.fates(id) == ["1 ready"])
    let run = try scratch.pipe("consume")
    run.expect("1\n2\n3\n", errors: nil)
    #expect(run.errors.contains("queue/owners/0: is not a file"), run.story)
    #expect(run.errors.split(separator: "\n").count == 1, run.story)
    try scratch.store("4")
    try scratch.pipe("consume").expect("4\n")
  }

  /// Its commands leave a process behind for item 1 and wait for the others.
  private func leaving(_ options: String...) throws -> Child {
    let handler = """
      read n
      case $n in
      1) setsid sleep 600 > /dev/null 2>&1 < /dev/null & echo $! > left; echo left ;;
      *) echo $$ >> started; echo started; exec sleep 600 ;;
      esac
      """
    return try scratch.start(
      [Binary.path, "consume"] + options + ["--", "sh", "-c", handler])
  }

  private func killAll(_ child: Child) throws {
    child.signal(SIGKILL)
    #expect(child.reap() == .killed(SIGKILL))
    try scratch.sh("kill -9 $(cat started)").expect()
    // They are dead before their descriptors are closed.
    try wait(until: { try scratch.count("claimed") == 0 }, "the end of the commands")
  }

  @Test("a process that an earlier command left behind holds no later item")
  func left() throws {
    try scratch.store("1", "2")
    let child = try leaving()
    #expect([child.line(), child.line()] == ["left", "started"])
    try killAll(child)
    try scratch.sh("pipe consume; kill $(cat left)").expect("2\n")
  }

  @Test("a process that a command left behind does not hold the item of a parallel command")
  func leftBeside() throws {
    try scratch.store("2", "1", "3")
    let child = try leaving("-j", "2")
    let lines = (0..<3).map { _ in child.line() }
    #expect(lines.filter { $0 == "started" }.count == 2, "\(lines)")
    try killAll(child)
    try scratch.sh("pipe consume; kill $(cat left)").expect("2\n3\n")
  }

  @Test("a process left behind holds its own item if the consumer is killed before settling it")
  func leftOwn() throws {
    try scratch.store("1")
    let gate = try Gate(scratch)
    let handler = """
      setsid sh -c 'read go < gate' > /dev/null 2>&1 &
      echo $$ > own; echo started; exec sleep 600
      """
    let child = try scratch.start("consume", "--", "sh", "-c", handler)
    #expect(child.line() == "started")
    child.signal(SIGKILL)
    #expect(child.reap() == .killed(SIGKILL))
    try scratch.sh("kill -9 $(cat own)").expect()
    try scratch.pipe("consume").expect("")
    gate.letPass()
    try wait(until: { try scratch.count("ready") == 1 }, "the end of what was left")
  }
}
