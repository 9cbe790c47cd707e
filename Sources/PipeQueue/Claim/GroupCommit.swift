package import PipeIO

/// Renames in now/ on their way to stable storage: one flush for all of the last 50 ms.
package final class GroupCommit {
  private let queue: Queue
  private var first: Int64?

  /// The longest that a rename waits for its flush. Microseconds.
  private static let patience: Int64 = 50_000

  init(_ queue: Queue) {
    self.queue = queue
  }

  func note() {
    if first == nil { first = Clock.steady() }
  }

  /// When a flush is owed, by `Clock.steady`; nil if none is.
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
