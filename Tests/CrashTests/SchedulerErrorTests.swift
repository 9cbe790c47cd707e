import Foundation
import Testing

@Suite(
  "an error of any system call of the scheduler is told in a line and a status, and loses nothing",
  .serialized)
struct SchedulerErrorTests {
  @Test("errors", .needsStrace, arguments: SchedulerForm.all)
  func errors(form: SchedulerForm) throws {
    let scratch = try Scratch()
    let original = TestQueue(scratch.path("original"), scratch)
    let prepared = try form.prepare(original)
    var queue = try original.copy(to: scratch.path("queue"))
    let command = try form.command(queue)
    let calls = try steadily(command) { traced in
      queue = try original.copy(to: queue.path)
      var ledger = prepared
      _ = try form.play(form, queue, traced, &ledger)
    }
    var visited = 0
    for call in calls.thinned where failing.contains(call.name) {
      for injection in Injection.some {
        queue = try original.copy(to: queue.path)
        var ledger = prepared
        let result = try form.play(form, queue, injection.apply(to: command, at: call), &ledger)
        let story = "\(injection.outcome) \(injection.when) at \(call)\n\(result)"
        judge(form, result, call, injection, story)
        // No room for a dead letter.
        if result.errors.contains("is tried again later") { ledger.conclude(isWhole: false) }
        try ledger.settle(queue, after: story)
        visited += 1
      }
    }
    print("visited: \(visited) errors of \(form.testDescription)")
  }

  private func judge(
    _ form: SchedulerForm, _ result: Finished, _ call: Call, _ injection: Injection, _ story: String
  ) {
    guard case .exited(let status) = result.ending, documented.contains(status) else {
      Issue.record("\(story)")
      return
    }
    let lines = completeLines(Array(result.errors.utf8))
    #expect(lines.allSatisfy { $0.hasPrefix("pipe \(form.verb): ") }, "\(story)")
    // What became of an item is told too.
    let told = lines.filter { !$0.contains(" (attempt ") }
    #expect(told.count <= 1, "\(story)")
    if !form.isWhole(result), call.name != "write" { #expect(told.count == 1, "\(story)") }
    if injection.isInterruption { #expect(form.isWhole(result), "\(story)") }
  }
}
