import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Waits for a lock")
struct LockWaitTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.store("1", "2")
  }

  private func isWaiting(_ child: Child) {
    let line = child.errorLine()
    #expect(line?.contains(": waiting for the lock of ") == true, "\(line ?? "nothing")")
  }

  @Test(
    "a command that waits to claim says so and ends at the first signal; nothing is lost",
    arguments: [SIGTERM, SIGINT],
    [
      "consume", "consume --follow", "consume -j 2 -- cat", "consume --stream -- cat",
      "batch -n 1", "batch -n 1 --hold 1m", "route --to other",
    ])
  func claiming(number: Int32, command: String) throws {
    let lock = DirectoryLock(scratch)
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
    "SIGTERM kills ack, list and stats while they wait for a lock",
    arguments: ["ack 01JD3V7Q8N6T2K5M9XWZ4RBC1H", "list", "stats"])
  func dying(command: String) throws {
    let lock = DirectoryLock(scratch)
    let child = try scratch.start(["pipe"] + command.split(separator: " ").map(String.init))
    isWaiting(child)
    child.signal(SIGTERM)
    child.finish().expect("", errors: nil, ending: .killed(SIGTERM))
    withExtendedLifetime(lock) {}
  }

  @Test("SIGTERM kills enqueue while it waits for a lock, and nothing is stored")
  func storing() throws {
    let lock = DirectoryLock(scratch, "queue/end")
    let child = try scratch.start("enqueue", "--raw")
    child.feed("3\n")
    isWaiting(child)
    child.signal(SIGTERM)
    child.finish().expect("", errors: nil, ending: .killed(SIGTERM))
    withExtendedLifetime(lock) {}
    _ = consume lock
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("a consumer that waits to settle ends a second after SIGTERM, and its item comes again")
  func settling() throws {
    let gate = try Gate(scratch)
    let child = try scratch.start(
      ["pipe", "consume", "-n", "1", "--", "sh", "-c", "echo started; read go < gate"])
    #expect(child.line() == "started")
    let lock = DirectoryLock(scratch)
    gate.letPass()
    isWaiting(child)
    child.signal(SIGTERM)
    let run = child.finish()
    run.expect(nil, errors: nil, ending: .killed(SIGTERM))
    #expect(run.errors.hasSuffix("queue/now: interrupted while waiting for its lock\n"), run.story)
    withExtendedLifetime(lock) {}
    _ = consume lock
    try scratch.sh("pipe consume -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect("1\n2\n2\n1\n")
  }

  @Test("a consumer acknowledges its item when the lock is freed in time after SIGTERM")
  func inTime() throws {
    let gate = try Gate(scratch)
    let child = try scratch.start(
      ["pipe", "consume", "--", "sh", "-c", "echo started; read go < gate"])
    #expect(child.line() == "started")
    var lock: DirectoryLock? = DirectoryLock(scratch)
    gate.letPass()
    isWaiting(child)
    child.signal(SIGTERM)
    lock = nil
    child.finish().expect("started\n", errors: nil)
    withExtendedLifetime(lock) {}
    try scratch.pipe("consume").expect("2\n")
  }
}
