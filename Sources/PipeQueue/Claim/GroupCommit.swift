package import PipeIO

/// Flushes renames in now/ together: one flush for all of the last 50 ms.
package final class GroupCommit {
  private let queue: Queue
  private var first: Int64?

  /// The longest that a rename waits for its flush, microseconds.
  private static let patience: Int64 = 50_000

  init(_ queue: Queue) {
    self.queue = queue
  }

  func note() {
    if first == nil { first = Clock.steady() }
  }

  /// When the next flush is due, by `Clock.steady`; nil if no rename waits for one.
  package var deadline: Int64? { first.map { $0 + GroupCommit.patience } }

  package func flushIfDue() throws(Fault) {
    if let deadline, Clock.steady() >= deadline { try flush() }
  }

  package func flush() throws(Fault) {
    guard first != nil else { return }
    first = nil
    try queue.now().flush()
  }
}
