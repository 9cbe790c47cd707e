internal import CPipeIO
internal import Glibc
package import PipeTime
internal import Synchronization

/// The signals that ask this process to stop. After the first it starts nothing more; after the
/// second it waits for nothing. Where the signals are blocked, a wait for a lock notices them too.
package enum Stops {
  private struct Taken {
    var watched: [Int32] = []
    var signals: [Int32] = []
    /// When the first signal was taken.
    var first: SteadyInstant = .boot
    var isPatient = true
  }

  private static let taken = Mutex(Taken())

  /// Time after the first signal during which a lock is still waited for: most locks come
  /// free in that time, and finished work can be acknowledged instead of redelivered.
  private static let grace: TimeSpan = .seconds(1)

  /// In the order in which they were taken.
  package static var signals: [Int32] { taken.withLock(\.signals) }

  package static func note(_ signal: Int32) {
    taken.withLock { taken in
      if taken.signals.isEmpty { taken.first = Clock.steady() }
      taken.signals.append(signal)
    }
  }

  /// From now on these signals interrupt waits for locks.
  static func watch(_ signals: [Int32]) { taken.withLock { $0.watched = signals } }

  static var watched: sigset_t { signalSet(taken.withLock(\.watched)) }

  /// Notes the signals that arrived during such a wait.
  static func noteCaught() {
    for signal in taken.withLock(\.watched) where cpipe_caught(signal) != 0 { note(signal) }
  }

  /// Waits for a time, or until a signal to stop arrives. For what nothing reports.
  package static func pause(_ span: TimeSpan) {
    var set = watched
    var time = timespec(
      tv_sec: Int(span.microseconds / 1_000_000),
      tv_nsec: Int(span.microseconds % 1_000_000) * 1000)
    let signal = sigtimedwait(&set, nil, &time)
    if signal > 0 { note(signal) }
  }

  /// Runs `body`, which takes new work: its waits end at the first signal.
  package static func impatiently<Result: ~Copyable>(
    _ body: () throws(Fault) -> Result
  ) throws(Fault) -> Result {
    taken.withLock { $0.isPatient = false }
    defer { taken.withLock { $0.isPatient = true } }
    return try body()
  }

  /// Whether waits for locks end now.
  static var endWaits: Bool {
    taken.withLock {
      guard $0.signals.count == 1, $0.isPatient else { return !$0.signals.isEmpty }
      return Clock.steady() - $0.first >= grace
    }
  }
}

func signalSet(_ signals: [Int32]) -> sigset_t {
  var set = sigset_t()
  sigemptyset(&set)
  for signal in signals { sigaddset(&set, signal) }
  return set
}
