import Foundation
import TestSupport
import Testing

@Suite("Control commands beside each other", .needsStrace)
struct ConcurrentControlTests {
  /// Runs `change --priority` and, at its call of flock(2) with this number, the other command. Returns nil if it
  /// makes fewer such calls.
  private func run(
    _ other: [String], at call: Int, of id: String, in scratch: Scratch
  ) throws -> Run? {
    let stop = ["-e", "trace=flock", "-e", "inject=flock:signal=STOP:when=\(call)"]
    let change = try scratch.start(
      ["strace", "-D", "-o", "/dev/null"] + stop
        + [Binary.path, "change", "--priority", "high", id])
    guard try change.waitUntilStoppedOrEnded() else {
      _ = change.finish()
      return nil
    }
    let child = try scratch.start([Binary.path] + other + [id])
    // It waits while the change has a lock.
    try child.waitUntilLockedOrEnded()
    repeat { change.signal(SIGCONT) } while try change.waitUntilStoppedOrEnded()
    _ = change.finish()
    return child.finish()
  }

  @Test("an item that was cancelled during a change of its priority is dead, and another is not")
  func cancelled() throws {
    var visited = 0
    for call in 1... {
      let scratch = try Scratch()
      let ids = try scratch.store("1", "2", "3")
      guard let run = try run(["cancel", "--yes"], at: call, of: ids[1], in: scratch) else { break }
      visited += 1
      let isCancelled = run.output.contains(#""cancelled":1"#)
      #expect(try scratch.pipe("dead").lines.count == (isCancelled ? 1 : 0), "call \(call)")
      try scratch.sh("pipe retry --all > log; pipe consume | sort").expect("1\n2\n3\n")
    }
    #expect(visited > 10)
  }

  @Test("an entry whose priority two processes change at once is delivered once")
  func changed() throws {
    for call in 1... {
      let scratch = try Scratch()
      let ids = try scratch.store("1", "2", "3")
      guard try run(["change", "--priority", "low"], at: call, of: ids[1], in: scratch) != nil
      else { break }
      try scratch.sh("pipe consume | sort").expect("1\n2\n3\n", "call \(call)")
    }
  }
}
