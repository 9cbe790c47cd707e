import Testing

/// A form of using the scheduler that is played again and again, each time on the queue as it was before.
struct SchedulerStage {
  let form: SchedulerForm
  let command: Command
  let queue: TestQueue
  private let original: TestQueue
  private let prepared: Ledger

  init(_ form: SchedulerForm) throws {
    let scratch = try Scratch()
    self.form = form
    original = TestQueue(scratch.path("original"), scratch)
    prepared = try form.prepare(original)
    queue = try original.copy(to: scratch.path("queue"))
    command = try form.command(queue)
  }

  /// Plays `command`: that of the stage with something done to it. What is left is to be settled.
  func play(_ command: Command) throws -> (result: Finished, ledger: Ledger) {
    _ = try original.copy(to: queue.path)
    var ledger = prepared
    let result = try form.play(form, queue, command, &ledger)
    return (result, ledger)
  }

  /// The calls at which something can be done to it.
  func calls() throws -> [Call] {
    try steadily(command) { traced in
      let (dry, ledger) = try play(traced)
      #expect(form.isWhole(dry), "\(dry)")
      try ledger.settle(queue, after: "\(dry)")
    }.thinned
  }
}
