internal import CPipeIO
internal import Glibc

/// Reports that somebody has set the wall clock.
package final class ClockSteps {
  package let number = cpipe_clock_steps()

  package init() {}

  /// Forgets what was reported so far.
  package func drain() {
    var expirations: UInt64 = 0
    _ = read(number, &expirations, 8)
  }

  deinit {
    if number >= 0 { close(number) }
  }
}
