internal import PipeIO
internal import PipeQueue

/// Commits drafts and prints their receipts, in that order.
final class Commits {
  var draft = Draft()
  private let queue: Queue
  private let appender: Appender
  private let output = Output()
  private let diagnostics: Diagnostics
  private let quiet: Bool
  private let wait: Int64

  init(_ queue: Queue, _ diagnostics: Diagnostics, quiet: Bool, wait: Int64, dedup: Int64) {
    self.queue = queue
    self.diagnostics = diagnostics
    self.quiet = quiet
    self.wait = wait
    appender = Appender(queue, dedup: dedup)
  }

  func commit() throws(Fault) {
    guard !draft.isEmpty else { return }
    do throws(Fault) { try store() } catch {
      let count = draft.receipts.count
      try? queue.count(.ingestionErrors, count)
      throw Fault(
        error.kind,
        "\(error.text); \(count) \(count == 1 ? "line" : "lines") "
          + (error.kind == .outcomeUnknown ? "without receipt" : "not stored"),
        code: error.code)
    }
    if !quiet { try printReceipts() }
    draft.removeAll()
    appender.pruneSome()
  }

  private func store() throws(Fault) {
    let deadline = Clock.steady() + wait
    while true {
      do throws(Fault) { return try appender.commit(&draft) } catch {
        guard error.kind == .tryLater, Clock.steady() < deadline else { throw error }
        try queue.waitForRoom(until: deadline)
      }
    }
  }

  private func printReceipts() throws(Fault) {
    for receipt in draft.receipts { ReceiptLine.append(receipt, to: output) }
    try output.flush()
  }
}
