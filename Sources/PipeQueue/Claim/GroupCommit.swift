package import PipeIO
package import PipeTime

/// Flushes renames in now/ together: one flush for all of the last 50 ms.
package final class GroupCommit {
  private let queue: Queue
  private var first: SteadyInstant?
  /// Files that are to be on disk before the renames.
  private var files: [Descriptor] = []

  /// The longest that a rename waits for its flush.
  private static let patience: TimeSpan = .milliseconds(50)

  init(_ queue: Queue) {
    self.queue = queue
  }

  func note() {
    if first == nil { first = Clock.steady() }
  }

  func note(_ file: Descriptor) {
    if !files.contains(where: { $0 === file }) { files.append(file) }
  }

  /// When the next flush is due, by `Clock.steady`; nil if no rename waits for one.
  package var deadline: SteadyInstant? { first.map { $0 + GroupCommit.patience } }

  package func flushIfDue() throws(Fault) {
    if let deadline, Clock.steady() >= deadline { try flush() }
  }

  package func flush() throws(Fault) {
    guard first != nil else { return }
    first = nil
    for file in files { try file.flushData() }
    files.removeAll()
    try queue.now().flush()
  }
}
