import Foundation
import Glibc
import Testing

@Suite("a wait for a lock whose holder is stopped")
struct LockWaitTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.store("1", "2")
  }

  /// The lock of a directory, until this goes.
  private final class Lock {
    private let number: Int32

    init(_ scratch: Scratch, _ name: String = "queue/now") {
      number = open(scratch.path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      flock(number, LOCK_EX)
    }

    deinit { close(number) }
  }

  private func isWaiting(_ child: Child) {
    let line = child.complaint()
    #expect(line?.contains(": waiting for the lock of ") == true, "\(line ?? "nothing")")
  }

  @Test(
    "is reported, and ended by the first signal where more would be claimed; nothing is lost",
    arguments: [SIGTERM, SIGINT],
    [
      "consume", "consume --follow", "consume -j 2 -- cat", "consume --stream -- cat",
      "batch -n 1", "batch -n 1 --hold 1m", "route --to other",
    ])
  func claiming(number: Int32, command: String) throws {
    let lock = Lock(scratch)
    let child = try scratch.start(["pipe"] + command.split(separator: " ").map(String.init))
    isWaiting(child)
    child.signal(number)
    let run = child.finish()
    run.expect(command.hasPrefix("route") ? nil : "", errors: nil)
    withExtendedLifetime(lock) {}
    _ = consume lock
    try scratch.pipe("consume", "--envelope").expect(nil)
    try scratch.sh("pipe list --state done | wc -l").expect("2\n")
  }

  @Test(
    "is ended by SIGTERM in commands that only die of it",
    arguments: ["ack 01JD3V7Q8N6T2K5M9XWZ4RBC1H", "list", "stats"])
  func dying(command: String) throws {
    let lock = Lock(scratch)
    let child = try scratch.start(["pipe"] + command.split(separator: " ").map(String.init))
    isWaiting(child)
    child.signal(SIGTERM)
    child.finish().expect("", errors: nil, ending: .killed(SIGTERM))
    withExtendedLifetime(lock) {}
  }

  @Test("is ended by SIGTERM where an entry is to be stored, and nothing of it is")
  func storing() throws {
    let lock = Lock(scratch, "queue/end")
    let child = try scratch.start("enqueue", "--raw")
    child.feed("3\n")
    isWaiting(child)
    child.signal(SIGTERM)
    child.finish().expect("", errors: nil, ending: .killed(SIGTERM))
    withExtendedLifetime(lock) {}
    _ = consume lock
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("lasts a second more where something is to be settled, which then comes again")
  func settling() throws {
    let gate = try Gate(scratch)
    let child = try scratch.start(
      ["pipe", "consume", "-n", "1", "--", "sh", "-c", "echo started; read go < gate"])
    #expect(child.line() == "started")
    let lock = Lock(scratch)
    gate.letPass()
    isWaiting(child)
    child.signal(SIGTERM)
    let run = child.finish()
    run.expect(nil, errors: nil, ending: .killed(SIGTERM))
    #expect(run.errors.hasSuffix("queue/now: stopped while waiting for its lock\n"), run.story)
    withExtendedLifetime(lock) {}
    _ = consume lock
    try scratch.sh("pipe consume -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect("1\n2\n2\n1\n")
  }

  @Test("goes on where the lock is free in time, and what was done is acknowledged")
  func inTime() throws {
    let gate = try Gate(scratch)
    let child = try scratch.start(
      ["pipe", "consume", "--", "sh", "-c", "echo started; read go < gate"])
    #expect(child.line() == "started")
    var lock: Lock? = Lock(scratch)
    gate.letPass()
    isWaiting(child)
    child.signal(SIGTERM)
    lock = nil
    child.finish().expect("started\n", errors: nil)
    withExtendedLifetime(lock) {}
    try scratch.pipe("consume").expect("2\n")
  }
}
