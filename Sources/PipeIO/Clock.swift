internal import CPipeIO
internal import Glibc

package enum Clock {
  /// Microseconds since the Unix epoch, by the wall clock: it may step.
  package static func now() -> Int64 { microseconds(CLOCK_REALTIME) }

  /// Microseconds since boot, through suspension: it never steps. For waiting.
  package static func steady() -> Int64 { microseconds(CLOCK_BOOTTIME) }

  /// Has this process woken as close to the time as can be; else the kernel gathers wake-ups of 50 µs.
  package static func sharpen() { cpipe_sharpen_timers() }

  /// Passes the last microseconds before an instant of `steady` awake.
  package static func await(_ instant: Int64) { while steady() < instant {} }

  private static func microseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

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

/// While this lives, a blocking system call of this thread is interrupted: by the signals to stop, and
/// once a second, so that a signal that comes between two instructions is not missed.
struct Alarm: ~Copyable {
  private let start = Clock.steady()
  private var interruption = cpipe_interruption()

  init() {
    var stops = Stops.watched
    cpipe_begin_interruption(&interruption, &stops)
  }

  /// Whether a second has passed.
  var hasRung: Bool { Clock.steady() - start >= 1_000_000 }

  deinit {
    var interruption = interruption
    cpipe_end_interruption(&interruption)
    Stops.noteCaught()
  }
}
