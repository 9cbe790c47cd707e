package import PipeIO
internal import PipeEngine
internal import PipeRender
package import PipeTime

/// Commits write batches and prints their receipts, in that order.
final class Committer {
  var batch = WriteBatch()
  private let queue: Queue
  private let appender: Appender
  private let output = Output()
  private let quiet: Bool
  private let wait: TimeSpan

  init(_ queue: Queue, quiet: Bool, wait: TimeSpan, dedup: TimeSpan) {
    self.queue = queue
    self.quiet = quiet
    self.wait = wait
    appender = Appender(queue, dedup: dedup)
  }

  func commit() throws(Fault) {
    guard !batch.isEmpty else { return }
    defer { batch.removeAll() }
    let deadline = Clock.steady() + wait
    let count = batch.receipts.count
    var stored = 0
    do throws(Fault) { try store(&batch, until: deadline, &stored) } catch {
      let lost = count - stored
      guard lost > 0 else { throw error }
      try? queue.count(.ingestionErrors, lost)
      throw Fault(
        error.kind,
        "\(error.text); \(counted(lost, "line")) "
          + (error.kind == .outcomeUnknown ? "without a receipt" : "not stored"),
        code: error.code)
    }
    appender.pruneSome()
  }

  // Until the deadline, stores whatever fits, in halves: a commit may be larger than the room will
  // ever be.
  private func store(
    _ part: inout WriteBatch, until deadline: SteadyInstant, _ stored: inout Int
  ) throws(Fault) {
    while true {
      do throws(Fault) {
        try appender.commit(&part)
        break
      } catch {
        guard error.kind == .tryLater, Clock.steady() < deadline else { throw error }
      }
      if part.receipts.count > 1 {
        var first = part.removeFirst(part.receipts.count / 2)
        try store(&first, until: deadline, &stored)
      } else {
        try queue.waitForRoom(until: deadline)
      }
    }
    stored += part.receipts.count
    if !quiet { try printReceipts(part) }
  }

  private func printReceipts(_ part: WriteBatch) throws(Fault) {
    for receipt in part.receipts { ReceiptLine.append(receipt, to: output) }
    try output.flush()
  }
}

extension Queue {
  /// Waits for a change in now/, a signal or `deadline` (`Clock.steady`), but at most a second. A
  /// rename in now/ may make room in the queue; no event reports room on the disk, so the caller
  /// retries each second.
  package func waitForRoom(
    until deadline: SteadyInstant = .distantFuture, or signals: SignalQueue? = nil
  )
    throws(Fault)
  {
    let watch = try watchSettling()
    var poller = Poller()
    _ = poller.watch(watch.fd)
    if let signals { _ = poller.watch(signals.fd) }
    try poller.wait(until: min(deadline, Clock.steady() + .seconds(1)))
  }
}
