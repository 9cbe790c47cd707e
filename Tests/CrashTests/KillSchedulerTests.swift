import Testing

@Suite(
  "the scheduler, killed on entering any system call: an item is one thing, and what it was told to be",
  .serialized)
struct KillSchedulerTests {
  @Test("kill -9", .needsStrace, arguments: SchedulerForm.all)
  func kill(form: SchedulerForm) throws {
    let stage = try SchedulerStage(form)
    let calls = try stage.calls()
    var visited = 0
    for call in calls {
      var ledger = Ledger()
      let result = try reaching(call, stage.command) { killed in
        let (result, left) = try stage.play(killed)
        ledger = left
        return result
      }
      guard let result else { continue }
      visited += 1
      try ledger.settle(stage.queue, after: "killed at \(call)\n\(result)")
    }
    #expect(visited == calls.count)
    print("visited: \(visited) kills of \(form.testDescription)")
  }
}
