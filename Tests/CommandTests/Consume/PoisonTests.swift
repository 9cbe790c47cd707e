import Foundation
import TestSupport
import Testing

@Suite("Poison items")
struct PoisonTests {
  /// Consumes until nothing is left, with a command that kills its consumer when it gets 2.
  private func drain(_ scratch: Scratch) throws -> [String] {
    let command = "read n; echo $n >> log; if [ $n = 2 ]; then kill -9 $PPID; fi"
    let line = "pipe consume -- sh -c '\(command)'"
    // A process that it leaves behind may hold its claim a little longer.
    try scratch.sh("while pipe list | grep -q .; do \(line); done 2> /dev/null").expect(errors: nil)
    return try scratch.lines(of: "log")
  }

  @Test("an item that kills its consumer is buried after its retries, and later items pass")
  func poison() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--retries", "2")
    let id = try scratch.store(#"{"ids":[1,2,3,4]}"#)[0]
    let log = try drain(scratch)
    #expect(log.filter { $0 == "2" }.count == 3)
    #expect(log.filter { $0 != "2" } == ["1", "3", "4"])
    #expect(try scratch.fates(id) == ["1 done", "2 dead", "3-4 done"])
    let letter = try scratch.one("dead", id)
    #expect(letter["reason"] as? String == "the process that held it died")
    let history = letter["history"] as? [[String: Any]] ?? []
    #expect(history.map { $0["attempt"] as? Int } == [1, 2, 3])
    #expect(history.allSatisfy { $0["exit_status"] == nil && $0["signal"] == nil })
    #expect(letter["exit_status"] is NSNull && letter["signal"] is NSNull)
  }

  @Test("an item that kills its consumer takes its batch along until each item comes alone")
  func batch() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--retries", "2")
    let id = try scratch.store(#"{"ids":[1,2,3]}"#)[0]
    let line = "pipe consume --size 3 -- sh -c 'grep -q 2 && kill -9 $PPID; true'"
    try scratch.sh("while pipe list | grep -q .; do \(line); done").expect("", errors: nil)
    #expect(try scratch.fates(id) == ["1 done", "2 dead", "3 done"])
  }

  @Test("an item is not charged for a batch that its reader never took")
  func untaken() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--retries", "0")
    try scratch.store("1")
    for _ in 0..<3 {
      let child = try scratch.start("batch")
      #expect(child.waitForOutput())
      child.closeOutput()
      child.finish().expect(ending: .killed(SIGPIPE))
    }
    try scratch.pipe("consume").expect("1\n")
  }
}
