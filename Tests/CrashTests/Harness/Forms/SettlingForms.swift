import Glibc
import TestSupport

// Settling claims that the clock holds.
extension SchedulerForm {
  static let ackWhole = SchedulerForm(
    testDescription: "ack a claim in two lanes", verb: "ack",
    prepare: { queue in
      var ledger = try held(queue, [.record(1), .ids(2, count: 2, "MEDIUM"), .record(3, "HIGH")])
      ledger.plan(0..<4, .done, attempts: 1...1)
      return ledger
    },
    command: { .pipe("ack", "-q", $0.path, try heldBatch($0).claim) })

  static let ackRetry = SchedulerForm(
    testDescription: "ack --retry", verb: "ack",
    prepare: { queue in
      var ledger = try held(queue, [.record(1), .ids(2, count: 2, "LOW")])
      ledger.plan(0..<3, .ready, attempts: 1...1)
      return ledger
    },
    command: { .pipe("ack", "-q", $0.path, "--retry", try heldBatch($0).claim) })

  static let ackBury = SchedulerForm(
    testDescription: "ack --bury", verb: "ack",
    prepare: { queue in
      var ledger = try held(queue, [.record(1), .record(2, "HIGH")])
      ledger.plan(0..<2, .dead, attempts: 1...1)
      return ledger
    },
    command: { .pipe("ack", "-q", $0.path, "--bury", try heldBatch($0).claim) })

  /// The last item is left out and given back.
  static let ackPartly = SchedulerForm(
    testDescription: "ack, each item in a way of its own", verb: "ack",
    prepare: { queue in
      var ledger = try held(queue, [.record(1), .ids(2, count: 4, "MEDIUM")])
      ledger.plan(0..<1, .done, attempts: 1...1)
      ledger.plan(1..<2, .ready, attempts: 1...1)
      ledger.plan(2..<3, .done, attempts: 1...1)
      ledger.plan(3..<4, .dead, attempts: 1...1)
      ledger.plan(4..<5, .ready, attempts: 0...1)
      return ledger
    },
    command: { queue in
      let batch = try heldBatch(queue)
      let results = zip(batch.items, ["ok", "retry", "ok", "bury"]).map { item, word in
        let (id, number) = (item.name.prefix(26), item.name.dropFirst(27))
        return #"{"id":"\#(id)","item":\#(number),"result":"\#(word)"}"#
      }
      let line = #"{"claim":"\#(batch.claim)","items":[\#(results.joined(separator: ","))]}"#
      return Command.pipe("ack", "-q", queue.path).given(line + "\n")
    })

  private static func held(_ queue: TestQueue, _ entries: [Entry]) throws -> Ledger {
    let ledger = try waiting(queue, entries)
    let file = queue.scratch.path("held")
    unlink(file)
    try Command.pipe("batch", "-q", queue.path, "--hold", "1h", "--size", "9").writing(to: file)
      .mustRun()
    return ledger
  }

  private static func heldBatch(_ queue: TestQueue) throws -> BatchLine {
    try BatchLine(queue.lines(of: queue.scratch.path("held")).first ?? "")
  }
}
