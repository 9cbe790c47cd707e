import Foundation
import TestSupport

// Dead letters and revived items.
extension SchedulerForm {
  static let retryOne = treating("retry", one: true)
  static let retryAll = treating("retry", one: false)
  static let dropOne = treating("drop", one: true)
  static let dropAll = treating("drop", one: false)

  private static func treating(_ verb: String, one: Bool) -> SchedulerForm {
    let fate = verb == "retry" ? Fate.ready : .dropped
    return SchedulerForm(
      testDescription: verb + (one ? " of one entry" : " --all"), verb: verb,
      prepare: { queue in
        var ledger = try dead(queue)
        ledger.found(0..<3, .dead)
        ledger.plan(one ? 0..<2 : 0..<3, fate)
        return ledger
      },
      command: { queue in
        let ids = queue.lines(of: queue.scratch.path("dead"))
        return Command.pipe(verb, "-q", queue.path, one ? ids[0] : "--all")
      },
      play: { form, _, command, ledger in
        let result = try command.run()
        ledger.conclude(isWhole: form.isWhole(result))
        // Each line names an entry that was retried or dropped.
        ledger.confirm(fate) { item in
          result.lines.contains { $0.contains(#""id":"\#(item.name.prefix(26))""#) }
        }
        return result
      })
  }

  static let restoreRevived = SchedulerForm(
    testDescription: "consume what was revived", verb: "consume",
    prepare: { queue in
      let ledger = try dead(queue)
      try Command.pipe("retry", "-q", queue.path, "--all").mustRun()
      return ledger
    },
    command: writing,
    play: delivering)

  /// Three dead items of two entries, with their ids in the file `dead`, and one done item.
  static func dead(_ queue: TestQueue) throws -> Ledger {
    var ledger = try waiting(queue, [.ids(1, count: 2, "MEDIUM"), .record(2, "HIGH")])
    try Command.pipe("consume", "-q", queue.path, "--", "sh", "-c", "exit 65").run()
    try ledger.ids().map { $0 + "\n" }.joined()
      .write(toFile: queue.scratch.path("dead"), atomically: true, encoding: .utf8)
    try ledger.store([.record(3)], in: queue)
    try Command.pipe("consume", "-q", queue.path, "-n", "1", "--", "true").mustRun()
    ledger.found(3..<4, .done)
    guard try queue.leftAside().count == 3 else { throw Failure("not three dead letters") }
    return ledger
  }
}
