import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Claim holders")
struct HolderTests {
  private let scratch: Scratch
  private let gate: Gate

  init() throws {
    scratch = try Scratch()
    gate = try Gate(scratch)
    try scratch.store("1", "2", "3")
  }

  private func worker(_ options: String...) throws -> Child {
    let command = ["--", "sh", "-c", "read n; echo started $n; read go < gate; echo ended $n"]
    return try scratch.start([Binary.path, "consume"] + options + command)
  }

  @Test("a stopped holder keeps its claim and settles it when it continues")
  func stopped() throws {
    let child = try worker("-n", "1")
    #expect(child.line() == "started 1")
    child.signal(SIGSTOP)
    try child.waitUntilStopped()
    gate.letPass()
    #expect(child.line() == "ended 1")
    try scratch.pipe("consume").expect("2\n3\n")
    let other = try scratch.start("consume", "--follow", "-n", "1")
    try other.waitUntilWatching()
    try scratch.sh("pipe list --state claimed | wc -l; pipe consume").expect("1\n")
    child.signal(SIGCONT)
    child.finish().expect()
    try scratch.store("4")
    #expect(other.line() == "4")
    other.finish().expect()
  }

  @Test("a stopped batch keeps its claim, and ack may settle it before batch continues")
  func stoppedBatch() throws {
    let child = try scratch.start("batch", "-n", "1", "--size", "2")
    let line = try #require(child.line())
    // Stopped while it holds the lock of now/, it would block every process.
    try child.waitUntilIdle()
    child.signal(SIGSTOP)
    try child.waitUntilStopped()
    try scratch.pipe("consume").expect("3\n")
    try scratch.pipe("ack", line).expect("")
    child.signal(SIGCONT)
    child.finish().expect()
    try scratch.pipe("list").expect("")
  }

  @Test("the command of a killed consumer keeps the claim until it ends")
  func orphan() throws {
    let child = try worker("-n", "1")
    #expect(child.line() == "started 1")
    child.signal(SIGKILL)
    #expect(child.reap() == .killed(SIGKILL))
    let id = try #require(try scratch.sh("pipe list --state claimed").objects()[0]["id"] as? String)
    try scratch.pipe("consume").expect("2\n3\n")
    #expect(try scratch.fates(id) == ["1 claimed"])
    #expect(try scratch.runs(id)[0]["holder"] is String, "it is told who it is")
    let other = try scratch.start("consume", "--follow", "-n", "1", "--envelope")
    try other.waitUntilWatching()
    gate.letPass()
    let line = try #require(other.line()).object
    #expect(line.data == [1] && line["attempt"] as? Int == 2)
    other.finish().expect()
  }

  @Test("a killed holder loses all its claims, and no other holder loses any")
  func killed() throws {
    let one = try scratch.start("batch", "-n", "2", "--size", "1")
    #expect([one.line()?.object.data, one.line()?.object.data] == [[1], [2]])
    let two = try scratch.start("batch", "-n", "1", "--size", "1")
    let line = try #require(two.line())
    one.signal(SIGKILL)
    #expect(one.reap() == .killed(SIGKILL))
    try scratch.pipe("consume").expect("1\n2\n")
    try scratch.pipe("ack", line).expect("")
    two.finish().expect()
  }

  @Test("the death of a holder wakes a waiting follower")
  func wakes() throws {
    let child = try scratch.start("batch", "-n", "3", "--size", "1")
    for _ in 0..<3 { #expect(child.line() != nil) }
    let other = try scratch.start("consume", "--follow", "-n", "3", "--size", "1")
    try other.waitUntilWatching()
    child.signal(SIGKILL)
    other.finish().expect("1\n2\n3\n")
  }
}
