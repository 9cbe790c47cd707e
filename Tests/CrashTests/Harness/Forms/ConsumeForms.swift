import Foundation
import TestSupport
import Testing

// Handing out and settling in one process.
extension SchedulerForm {
  static let fail = SchedulerForm(
    testDescription: "consume, the command fails", verb: "consume", status: 1,
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .record(2, "LOW")])
      ledger.plan(0..<2, .ready, attempts: 0...1)
      return ledger
    },
    command: { running($0, "cat >>\"$DELIVERED\"; exit 1") },
    play: { form, queue, command, ledger in
      unlink(queue.scratch.path("delivered"))
      let result = try command.run()
      ledger.conclude(isWhole: true)
      // An attempt that began is counted, and no other.
      ledger.countAttempts(of: queue.lines(of: queue.scratch.path("delivered")))
      return result
    })

  static let bury = SchedulerForm(
    testDescription: "consume, the command finds bad data", verb: "consume", status: 1,
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .ids(2, count: 2, "LOW")])
      ledger.plan(0..<3, .dead, attempts: 0...1)
      return ledger
    },
    command: { running($0, "echo bad >&2; exit 65", size: 2) })

  /// A revived item that is given back must not be done.
  static let refuse = SchedulerForm(
    testDescription: "consume, there is no such command, what was revived", verb: "consume",
    status: 69,
    prepare: { queue in
      var ledger = try dead(queue)
      try Command.pipe("retry", "-q", queue.path, "--all").mustRun()
      ledger.plan(0..<3, .ready, attempts: 0...1)
      return ledger
    },
    command: { Command.pipe("consume", "-q", $0.path, "--", "/nonexistent/command") },
    play: { form, _, command, ledger in
      let result = try command.run()
      if form.isWhole(result) { ledger.plan(0..<3, .ready, attempts: 0...0) }
      ledger.conclude(isWhole: true)
      return result
    })

  /// An item that kills its consumer, at its last attempt.
  static let reap = SchedulerForm(
    testDescription: "consume, a poison item is held by a dead consumer", verb: "consume",
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .record(2)], retries: 1)
      let killer = ["--", "sh", "-c", "kill -9 $PPID"]
      for _ in 0..<2 {
        let died = try Command([Binary.path, "consume", "-q", queue.path] + killer).run()
        guard died.ending == .killed(SIGKILL) else { throw Failure("\(died)") }
      }
      ledger.found(0..<1, .dead)
      return ledger
    },
    command: writing,
    play: delivering)

  static let paced = SchedulerForm(
    testDescription: "consume --every", verb: "consume",
    prepare: { try waiting($0, [.record(1), .record(2)]) },
    command: {
      $0.consuming("--every", "1h", "--size", "1", "-n", "1").writing(
        to: $0.scratch.path("delivered"))
    },
    play: { form, queue, command, ledger in
      let result = try delivering(form, queue, command, &ledger)
      let next = try Command.pipe(
        "batch", "-q", queue.path, "--dry-run", "--every", "1h", "-n", "1"
      )
      .run()
      let seconds = next.lines.first?.components(separatedBy: #""at":"#).last.flatMap {
        Double($0.prefix { $0.isNumber || $0 == "." })
      }
      if !queue.lines(of: queue.scratch.path("delivered")).isEmpty {
        // No process takes another turn within the hour.
        #expect(next.lines.isEmpty || seconds ?? 0 > 3000, "\(result)\n\(next)")
      } else if try queue.claims().isEmpty {
        // A process that has started nothing has used up no turn.
        #expect(seconds == 0, "\(result)\n\(next)")
      }
      return result
    })

  private static func running(_ queue: TestQueue, _ script: String, size: Int = 1) -> Command {
    Command(
      [Binary.path, "consume", "-q", queue.path, "--size", "\(size)", "--", "sh", "-c", script]
    ).with("DELIVERED", queue.scratch.path("delivered"))
  }
}
