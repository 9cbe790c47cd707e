import TestSupport
import Testing

// Handing out items that another process settles.
extension SchedulerForm {
  static let hold = SchedulerForm(
    testDescription: "batch --hold", verb: "batch",
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .ids(2, count: 2, "HIGH")])
      ledger.plan(0..<3, .ready, attempts: 0...1)
      return ledger
    },
    command: { .pipe("batch", "-q", $0.path, "--hold", "1h", "--size", "2") },
    play: { form, queue, command, ledger in
      let result = try command.run()
      ledger.conclude(isWhole: form.isWhole(result))
      // A process that has read the line may rely on it.
      for line in result.lines { try acknowledge(line, queue, &ledger, mustHold: true) }
      return result
    })

  static let batch = SchedulerForm(
    testDescription: "batch | ack", verb: "batch",
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .ids(2, count: 2, "HIGH")])
      ledger.plan(0..<3, .ready, attempts: 0...1)
      return ledger
    },
    command: { .pipe("batch", "-q", $0.path, "--size", "2") },
    play: { form, queue, command, ledger in
      ledger.conclude(isWhole: true)
      let child = try command.start()
      while let line = child.line() {
        try acknowledge(line, queue, &ledger, mustHold: false)
      }
      return child.finish()
    })

  private static func acknowledge(
    _ line: String, _ queue: TestQueue, _ ledger: inout Ledger, mustHold: Bool
  ) throws {
    let batch = try BatchLine(line)
    let ack = try Command.pipe("ack", "-q", queue.path, batch.claim).run()
    #expect(ack.ending == .exited(0) || ack.ending == .exited(76) && !mustHold, "\(ack)")
    let names = Set(batch.items.map(\.name))
    if ack.ending == .exited(0) { ledger.confirm(.done) { names.contains($0.name) } }
  }
}
