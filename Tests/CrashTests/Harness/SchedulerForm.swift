import Foundation
import TestSupport
import Testing

/// A way of using the scheduler that the crash tests go through.
struct SchedulerForm: CustomTestStringConvertible {
  let testDescription: String
  let verb: String
  /// Its exit status when all goes well.
  var status: Int32 = 0
  /// Creates the queue that the command finds.
  let prepare: @Sendable (TestQueue) throws -> Ledger
  let command: @Sendable (TestQueue) throws -> Command
  /// Runs the command, perhaps under strace, and records what it may have changed.
  var play: @Sendable (SchedulerForm, TestQueue, Command, inout Ledger) throws -> Run = {
    form, _, command, ledger in
    let result = try command.run()
    ledger.conclude(isWhole: form.isWhole(result))
    return result
  }

  func isWhole(_ result: Run) -> Bool { result.ending == .exited(status) }

  static let all = [
    ackWhole, ackPartly, ackRetry, ackBury, hold, batch, fail, bury, refuse, reap, retryOne,
    retryAll,
    dropOne, dropAll, restoreRevived, paced, park, restore, restoreDelayed, cancelOne, cancelFailed,
    purgeAll, retryCancelled,
    changeNow, changeDelay, changePriority, pause, resume, repair,
  ]
}

// Parts that several forms share.
extension SchedulerForm {
  static let writing: @Sendable (TestQueue) throws -> Command = {
    $0.consuming().writing(to: $0.scratch.path("delivered"))
  }

  /// Runs a consumer that writes items to a file.
  static let delivering: @Sendable (SchedulerForm, TestQueue, Command, inout Ledger) throws -> Run =
    {
      form, queue, command, ledger in
      let file = queue.scratch.path("delivered")
      unlink(file)
      let result = try command.run()
      ledger.conclude(isWhole: true)
      ledger.conclude(delivered: queue.lines(of: file), isWhole: form.isWhole(result))
      return result
    }

  static func waiting(
    _ queue: TestQueue, _ entries: [Entry], retries: Int = 5, backoff: String = "0s..0s"
  ) throws -> Ledger {
    try Command.pipe(
      "init", "-q", queue.path, "--slice", "1", "--backoff", backoff, "--retries", "\(retries)"
    ).mustRun()
    var ledger = Ledger()
    try ledger.store(entries, in: queue)
    return ledger
  }
}
