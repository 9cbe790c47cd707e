import TestSupport
import Testing

/// A form of using the scheduler that is run again and again, each time on the original queue.
struct SchedulerStage {
  let form: SchedulerForm
  let command: Command
  let queue: TestQueue
  private let original: TestQueue
  private let prepared: Ledger

  init(_ form: SchedulerForm) throws {
    let scratch = try Scratch(.memory)
    self.form = form
    original = TestQueue(scratch.path("original"), scratch)
    prepared = try form.prepare(original)
    queue = try original.copy(to: scratch.path("queue"))
    command = try form.command(queue)
  }

  /// Runs `command`, a variant of the stage's own. The result must be settled.
  func play(_ command: Command) throws -> (result: Run, ledger: Ledger) {
    _ = try original.copy(to: queue.path)
    var ledger = prepared
    let result = try form.play(form, queue, command, &ledger)
    return (result, ledger)
  }

  /// The calls at which a fault can be injected.
  func calls() throws -> [Call] { try steadily(command, rehearse).thinned }

  /// The calls of one run that release a lock.
  func unlocks() throws -> [Call] {
    try recorded(command, rehearse).filter { $0.text.contains("LOCK_UN") }
  }

  private func rehearse(_ traced: Command) throws {
    var (dry, ledger) = try play(traced)
    #expect(form.isWhole(dry), "\(dry)")
    try ledger.settle(queue, after: "\(dry)")
  }
}
