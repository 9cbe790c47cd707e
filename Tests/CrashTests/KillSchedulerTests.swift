import Foundation
import Testing

@Suite(
  "the scheduler, killed on entering any system call: an item is one thing, and what it was told to be",
  .serialized)
struct KillSchedulerTests {
  @Test("kill -9", .needsStrace, arguments: SchedulerForm.all)
  func kill(form: SchedulerForm) throws {
    let scratch = try Scratch()
    let original = TestQueue(scratch.path("original"), scratch)
    let prepared = try form.prepare(original)
    var queue = try original.copy(to: scratch.path("queue"))
    let command = try form.command(queue)
    let calls = try steadily(command) { traced in
      queue = try original.copy(to: queue.path)
      var ledger = prepared
      let dry = try form.play(form, queue, traced, &ledger)
      #expect(form.isWhole(dry), "\(dry)")
      try ledger.settle(queue, after: "\(dry)")
    }.thinned
    var visited = 0
    for call in calls {
      var ledger = prepared
      let result = try reaching(call, command) { killed in
        queue = try original.copy(to: queue.path)
        ledger = prepared
        return try form.play(form, queue, killed, &ledger)
      }
      guard let result else { continue }
      visited += 1
      try ledger.settle(queue, after: "killed at \(call)\n\(result)")
    }
    #expect(visited == calls.count)
    print("visited: \(visited) kills of \(form.testDescription)")
  }
}
