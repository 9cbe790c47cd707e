import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Signals to consume")
struct SignalTests {
  private let scratch: Scratch
  private let gate: Gate

  init() throws {
    scratch = try Scratch()
    gate = try Gate(scratch)
    try scratch.store(#"{"ids":[1,2,3]}"#)
  }

  /// A consumer whose command reports its start and then waits.
  private func started(_ options: String...) throws -> Child {
    let command = ["--", "sh", "-c", "read n; echo started $n; read go < gate; echo ended $n"]
    return try scratch.start([Binary.path, "consume"] + options + command)
  }

  @Test(
    "the first signal lets the running command end, starts nothing more and is not a failure",
    arguments: [SIGTERM, SIGINT])
  func first(number: Int32) throws {
    let child = try started()
    #expect(child.line() == "started 1")
    child.signal(number)
    try child.waitUntilTaken(number)
    gate.letPass()
    child.finish().expect("started 1\nended 1\n")
    try scratch.pipe("consume").expect("2\n3\n")
  }

  @Test("a signal ends a consumer that waits for more")
  func waiting() throws {
    let child = try scratch.start("consume", "--follow")
    #expect([child.line(), child.line(), child.line()] == ["1", "2", "3"])
    child.signal(SIGTERM)
    child.finish().expect()
    try scratch.pipe("list").expect("")
  }

  @Test(
    "a second signal gives back the running items and kills the consumer",
    arguments: [SIGTERM, SIGINT])
  func second(number: Int32) throws {
    let child = try started("-j", "2")
    let lines = [child.line() ?? "none", child.line() ?? "none"]
    #expect(lines.sorted() == ["started 1", "started 2"])
    child.signal(SIGTERM)
    try child.waitUntilTaken(SIGTERM)
    child.signal(number)
    let run = child.finish()
    run.expect(lines.map { $0 + "\n" }.joined(), ending: .killed(number))
    try scratch.sh("pipe consume -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect("1\n1\n2\n1\n3\n1\n")
  }

  @Test("SIGKILL leaves the batch claimed while its command lives, then it is ready")
  func killed() throws {
    let child = try started()
    #expect(child.line() == "started 1")
    child.signal(SIGKILL)
    #expect(child.reap() == .killed(SIGKILL))
    try scratch.pipe("consume").expect("2\n3\n")
    let other = try scratch.start("consume", "--follow", "-n", "1")
    try other.waitUntilWatching()
    gate.letPass()
    #expect(other.line() == "1")
    other.finish().expect()
    child.finish().expect("started 1\nended 1\n", ending: .killed(SIGKILL))
  }
}
