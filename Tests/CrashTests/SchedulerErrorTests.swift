import TestSupport
import Testing

@Suite("Errors of the scheduler", .serialized)
struct SchedulerErrorTests {
  static let forms: [SchedulerForm] = [
    .ackPartly, .hold, .batch, .fail, .bury, .reap, .retryAll, .dropAll, .restoreRevived, .park,
    .restore, .cancelOne, .purgeAll, .retryCancelled, .changeNow, .changeDelay, .changePriority,
    .pause,
    .resume, .repair,
  ]

  @Test(
    "an error of any call of the scheduler is reported by line and status, and loses nothing",
    .needsStrace, arguments: forms)
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

  @Test("an unlock that fails for good leaves no lock behind", .needsStrace)
  func unlock() throws {
    let form = SchedulerForm.batch
    let stage = try SchedulerStage(form)
    let unlocks = try stage.unlocks()
    try #require(!unlocks.isEmpty)
    for call in unlocks {
      let injection = Injection(outcome: "error=EIO", when: "N+")
      var (result, ledger) = try stage.play(injection.apply(to: stage.command, at: call))
      let story = "\(call)\n\(result)"
      judge(form, result, call, story)
      try ledger.settle(stage.queue, after: story)
    }
  }

  /// No room for a dead letter.
  private let noRoom = "items that were to be buried are tried again later"

  private func judge(
    _ form: SchedulerForm, _ result: Run, _ call: Call, _ story: String
  ) {
    guard case .exited(let status) = result.ending, documented.contains(status) else {
      Issue.record("\(story)")
      return
    }
    // The handler's own output.
    let lines = completeLines(Array(result.errors.utf8)).filter {
      $0 != "bad" && !$0.contains("statistics")
    }
    #expect(lines.allSatisfy { $0.hasPrefix("pipe \(form.verb): ") }, "\(story)")
    // Lines about an item come in addition.
    let told = lines.filter { !$0.contains(" (attempt ") && !$0.hasSuffix(noRoom) }
    #expect(told.count <= 1, "\(story)")
    let isTold = told.count == 1 || lines.contains { $0.hasSuffix(noRoom) }
    if !form.isWhole(result), call.name != "write" { #expect(isTold, "\(story)") }
  }
}
