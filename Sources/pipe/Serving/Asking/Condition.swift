internal import PipeIO
internal import Synchronization

/// Whether what was stored last could be stored: what asks for health cannot see of a disk that fails.
final class Condition: Sendable {
  private let trouble = Mutex<(fault: Fault, until: Int64)?>(nil)

  /// Microseconds for which a failure counts when nobody tries again.
  private static let patience: Int64 = 10_000_000

  func note(_ fault: Fault?, hasStored: Bool) {
    if let fault {
      // Fullness is looked at when it is asked for.
      if fault.kind == .tryLater { return }
      trouble.withLock { $0 = (fault, Clock.steady() + Condition.patience) }
    } else if hasStored {
      trouble.withLock { $0 = nil }
    }
  }

  func requireHealth() throws(Fault) {
    let found = trouble.withLock { $0 }
    if let found, Clock.steady() < found.until { throw found.fault }
  }
}
