import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Claims and their holders")
struct ClaimTests {
  private let scratch: Scratch
  private let queue: TestQueue
  private let entry = Entry.record(1)

  init() throws {
    scratch = try Scratch(.memory)
    queue = TestQueue(scratch.path("queue"), scratch)
  }

  /// A consumer that has claimed everything, because no process reads what it wrote to its pipe.
  private func holder() throws -> Child {
    let child = try queue.consuming().start()
    #expect(child.waitForOutput())
    // Until then it may claim more, or be inside a lock.
    try child.waitUntilIdle()
    return child
  }

  /// Stops it while it holds no lock of now/: names that it has changed itself may still wake it.
  private func stop(_ holder: Child) throws {
    while true {
      holder.signal(SIGSTOP)
      try holder.waitUntilStopped()
      let now = open(scratch.path("queue/now"), O_RDONLY | O_DIRECTORY)
      defer { close(now) }
      if flock(now, LOCK_EX | LOCK_NB) == 0 { return }
      holder.signal(SIGCONT)
    }
  }

  @Test("a handler that outlives its killed consumer keeps the claim until it ends too")
  func orphan() throws {
    var ledger = Ledger()
    ledger.feed([entry], receipts: try queue.enqueue([entry]).receipts)
    let gate = try Gate(scratch)
    let handler = #"echo begun; read x <"$GATE"; cat >>"$DELIVERED""#
    let consumer = try Command([
      Binary.path, "consume", "-q", queue.path, "--", "sh", "-c", handler,
    ])
    .with("DELIVERED", scratch.path("delivered")).with("GATE", scratch.path("gate")).start()
    #expect(consumer.line() == "begun")
    consumer.signal(SIGKILL)
    #expect(consumer.reap() == .killed(SIGKILL))
    let early = try queue.drain()
    #expect(early.delivered.isEmpty && early.result.ending == .exited(0), "\(early.result)")
    #expect(try queue.heldItems() == 1)
    gate.letPass()
    _ = consumer.finish()
    ledger.deliver(queue.lines(of: scratch.path("delivered")))
    ledger.held = 1
    try ledger.settle(queue, after: "the handler ended")
    #expect(ledger.again == 1, "ready again at once")
  }

  @Test("the death of another holder wakes a sleeping follower")
  func wake() throws {
    try queue.enqueue([entry])
    let holder = try holder()
    let follower = try queue.consuming("--follow").start()
    defer { follower.signal(SIGKILL) }
    try queue.enqueue([Entry.record(2)])
    #expect(follower.line() == Entry.record(2).line)
    try follower.waitUntilIdle()
    holder.signal(SIGKILL)
    #expect(follower.line() == entry.line)
  }

  @Test("nothing is taken from a stopped holder")
  func stopped() throws {
    var ledger = Ledger()
    ledger.feed([entry], receipts: try queue.enqueue([entry]).receipts)
    let holder = try holder()
    try stop(holder)
    let other = try queue.drain()
    #expect(other.delivered.isEmpty && other.result.ending == .exited(0), "\(other.result)")
    holder.signal(SIGCONT)
    let result = holder.finish()
    #expect(result.ending == .exited(0), "\(result)")
    ledger.deliver(result.lines)
    try ledger.settle(queue, after: "\(result)")
  }

  @Test("two consumers that find a dead holder at once deliver its items once", .needsStrace)
  func reapers() throws {
    for round in 0..<25 {
      let entries = (1...20).map { Entry.record(round * 100 + $0) }
      var ledger = Ledger()
      ledger.feed(entries, receipts: try queue.enqueue(entries).receipts)
      let holder = try holder()
      holder.signal(SIGKILL)
      holder.reap()
      let files = ["one", "other"].map { scratch.path("\($0).\(round)") }
      let reapers = try files.enumerated().map { index, file in
        let call = ["flock", "getdents64", "renameat2"][(round + index) % 3]
        return try queue.consuming("--size", "3").writing(to: file)
          .failing(call, "delay_enter=\(round * 100)", when: "1+").start()
      }
      let results = reapers.map { $0.finish() }
      for file in files { ledger.deliver(queue.lines(of: file)) }
      try ledger.settle(queue, after: "\(results)")
    }
  }

  @Test("an item comes again once if a crash left both names of its acknowledgement")
  func bothNames() throws {
    var ledger = Ledger()
    ledger.feed([entry], receipts: try queue.enqueue([entry]).receipts)
    let holder = try holder()
    holder.signal(SIGKILL)
    holder.reap()
    let claim = try #require(try queue.claims().first)
    let done = try #require(claim.components(separatedBy: "claim.").first) + "done"
    let now = "\(queue.path)/now/"
    try FileManager.default.linkItem(atPath: now + claim, toPath: now + done)
    try ledger.settle(queue, after: "\(claim) beside \(done)")
    #expect(try queue.names(in: "now").count { $0 == claim } == 0)
  }

  @Test("the items of a killed consumer go first, in the order in which they came")
  func order() throws {
    let entries = (1...5).map { Entry.record($0) }
    try queue.enqueue(entries)
    let holder = try queue.consuming("-n", "1", "--size", "2").start()
    #expect(holder.waitForOutput())
    holder.signal(SIGKILL)
    holder.reap()
    #expect(try queue.drain().delivered == entries.map(\.line))
  }
}
