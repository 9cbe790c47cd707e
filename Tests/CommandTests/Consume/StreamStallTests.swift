import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Stalled --stream workers", .needs("python3"))
struct StreamStallTests {
  private let scratch: Scratch
  private let gate: Gate

  init() throws {
    scratch = try Scratch()
    gate = try Gate(scratch)
  }

  /// `patience`: milliseconds until a worker that does not answer is reported; nil: minutes.
  private func start(
    _ worker: String, _ options: String..., patience: Int? = nil
  ) throws -> Child {
    try scratch.worker(worker)
    return try scratch.start(
      [Binary.path, "consume", "--stream"] + options + ["--", "./worker"],
      ["PIPE_TEST_PATIENCE": "\(patience ?? 600_000)"])
  }

  @Test("a worker that never reads is reported, and a second signal kills consume without a loss")
  func neverReads() throws {
    try scratch.store(count: 2000)
    // Time for four claims: an unanswered line lets the next claim start only 50 ms later.
    let child = try start("time.sleep(600)", patience: 3000)
    #expect(
      child.errorLine()
        == "pipe consume: ./worker: 1024 items handed out, no answer for 3 s: "
        + "it does not read its stdin")
    child.signal(SIGTERM)
    try child.waitUntilTaken(SIGTERM)
    child.signal(SIGTERM)
    child.finish().expect("", errors: nil, ending: .killed(SIGTERM))
    #expect(try scratch.attempts(inOne: 2000) == (0..<2000).map { "\($0) 1" })
  }

  @Test("a worker that reads all before it answers is reported, and a signal lets it finish")
  func readsAll() throws {
    try scratch.store(count: 2000)
    let child = try start(
      """
      batches = []
      while more := burst(): batches += more
      say(*map(ok, batches))
      """, patience: 20_000)
    #expect(
      child.errorLine()
        == "pipe consume: ./worker: 1024 items handed out, no answer for 20 s: "
        + "it is slow, or does not flush its answers; it gets at most 1024 items ahead")
    child.signal(SIGTERM)
    child.finish().expect("", errors: nil)
    #expect(try scratch.attempts(inOne: 2000) == (1024..<2000).map { "\($0) 1" })
  }

  @Test("lines longer than any pipe block neither the worker nor the consumer")
  func longLines() throws {
    let long = String(repeating: "x", count: 1_000_000)
    for number in 0..<12 { try scratch.store("\"\(number)\(long)\"") }
    // Its answers are as long as the lines, and are written before the next line is read.
    let child = try start(
      """
      while batches := burst():
        for batch in batches: say(dict(batch, result="ok"))
      """)
    child.finish().expect("")
    try scratch.pipe("list").expect("")
  }

  @Test("at the first signal a worker answers what it has, and the rest was never handed out")
  func firstSignal() throws {
    try scratch.store(count: 5000)
    let child = try start(
      """
      batches = burst()
      print("started", file=sys.stderr, flush=True)
      open("gate").readline()
      while batches:
        for batch in batches: log(batch)
        say(*map(ok, batches))
        batches = burst()
      """)
    #expect(child.errorLine() == "started")
    child.signal(SIGINT)
    try child.waitUntilTaken(SIGINT)
    gate.letPass()
    child.finish().expect("", errors: nil)
    let taken = try scratch.read("log").count { $0 == 0x0a }
    #expect(taken > 0 && taken <= 1024, "\(taken)")
    #expect(try scratch.attempts(inOne: 5000) == (taken..<5000).map { "\($0) 1" })
  }

  @Test("a worker keeps its items while it lives, even after its consumer was killed")
  func consumerKilled() throws {
    try scratch.store(count: 3)
    let child = try start(
      """
      batches = burst()
      print("started", file=sys.stderr, flush=True)
      open("gate").readline()
      """, "-n", "2")
    #expect(child.errorLine() == "started")
    child.signal(SIGKILL)
    #expect(child.reap() == .killed(SIGKILL))
    #expect(try scratch.attempts() == ["2 1"])
    let other = try scratch.start("consume", "--follow", "-n", "1")
    try other.waitUntilWatching()
    gate.letPass()
    #expect(other.line() == "0")
    other.finish().expect()
    _ = child.finish()
  }
}
