import Testing

@Suite(
  "an error of any system call of the scheduler is told in a line and a status, and loses nothing",
  .serialized)
struct SchedulerErrorTests {
  static let forms: [SchedulerForm] = [
    .ackPartly, .hold, .batch, .fail, .bury, .reap, .retryAll, .dropAll, .restoreRevived, .park,
    .restore,
  ]

  @Test("errors", .needsStrace, arguments: forms)
  func errors(form: SchedulerForm) throws {
    let stage = try SchedulerStage(form)
    var visited = 0
    for call in try stage.calls() where call.canFail {
      for injection in Injection.some {
        var (result, ledger) = try stage.play(injection.apply(to: stage.command, at: call))
        let story = "\(injection.outcome) \(injection.when) at \(call)\n\(result)"
        judge(form, result, call, story)
        if result.errors.contains(noRoom) { ledger.forgiveBurials() }
        try ledger.settle(stage.queue, after: story)
        visited += 1
      }
    }
    print("visited: \(visited) errors of \(form.testDescription)")
  }

  /// For a dead letter.
  private let noRoom = "what should be buried is tried again later"

  private func judge(
    _ form: SchedulerForm, _ result: Finished, _ call: Call, _ story: String
  ) {
    guard case .exited(let status) = result.ending, documented.contains(status) else {
      Issue.record("\(story)")
      return
    }
    // The command's own word.
    let lines = completeLines(Array(result.errors.utf8)).filter {
      $0 != "bad" && !$0.contains("; statistics ")
    }
    #expect(lines.allSatisfy { $0.hasPrefix("pipe \(form.verb): ") }, "\(story)")
    // What became of an item is told too.
    let told = lines.filter { !$0.contains(" (attempt ") && !$0.hasSuffix(noRoom) }
    #expect(told.count <= 1, "\(story)")
    let isTold = told.count == 1 || lines.contains { $0.hasSuffix(noRoom) }
    if !form.isWhole(result), call.name != "write" { #expect(isTold, "\(story)") }
  }
}
