import TestSupport
import Testing

@Suite("The scheduler under kill -9", .serialized)
struct KillSchedulerTests {
  @Test(
    "a kill at any call of the scheduler leaves each item in one state, which is the reported one",
    .needsStrace, arguments: SchedulerForm.all)
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
