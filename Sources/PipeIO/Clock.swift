internal import CPipeIO
internal import Glibc

package enum Clock {
  /// Microseconds since the Unix epoch by the wall clock, which may step.
  package static func now() -> Int64 { microseconds(CLOCK_REALTIME) }

  /// Microseconds since boot, including suspension. Never steps: use it for waiting.
  package static func steady() -> Int64 { microseconds(CLOCK_BOOTTIME) }

  /// Sets this thread's timer slack to 1 ns: by default the kernel coalesces wake-ups within 50 µs.
  package static func sharpen() { cpipe_sharpen_timers() }

  /// Busy-waits until an instant of `steady`: for the last microseconds only.
  package static func await(_ instant: Int64) { while steady() < instant {} }

  private static func microseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

/// Reports that the wall clock was set.
package final class ClockSteps {
  package let number = cpipe_clock_steps()

  package init() {}

  /// Clears pending reports.
  package func drain() {
    var expirations: UInt64 = 0
    _ = read(number, &expirations, 8)
  }

  deinit {
    if number >= 0 { close(number) }
  }
}

/// While this value lives, the stop signals and a timer that fires every second interrupt this
/// thread's blocking system calls. The timer covers a signal that arrives just before the call
/// blocks.
struct Alarm: ~Copyable {
  private let start = Clock.steady()
  private var interruption = cpipe_interruption()

  init() {
    var stops = Stops.watched
    cpipe_begin_interruption(&interruption, &stops)
  }

  /// Whether one second has passed since `init`.
  var hasRung: Bool { Clock.steady() - start >= 1_000_000 }

  deinit {
    var interruption = interruption
    cpipe_end_interruption(&interruption)
    Stops.noteCaught()
  }
}
