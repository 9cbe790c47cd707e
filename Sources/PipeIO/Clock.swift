internal import CPipeIO
internal import Glibc
package import PipeTime

package enum Clock {
  package static func now() -> Instant { Instant(microseconds: microseconds(CLOCK_REALTIME)) }

  package static func steady() -> SteadyInstant {
    SteadyInstant(microseconds: microseconds(CLOCK_BOOTTIME))
  }

  /// The wall clock's distance from the steady one; changes only where the wall clock is set.
  package static func offset() -> TimeSpan { (now() - .epoch) - (steady() - .boot) }

  /// Sets this thread's timer slack to 1 ns: by default the kernel coalesces wake-ups within 50 µs.
  package static func sharpen() { cpipe_sharpen_timers() }

  /// Busy-waits: for the last microseconds only.
  package static func await(_ instant: SteadyInstant) { while steady() < instant {} }

  private static func microseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

extension Instant {
  init(_ time: timespec) {
    self.init(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }
}

/// Reports that the wall clock was set.
package final class ClockSteps {
  package let fd = cpipe_clock_steps()

  package init() {}

  /// Clears pending reports.
  package func drain() {
    var expirations: UInt64 = 0
    _ = read(fd, &expirations, 8)
  }

  deinit {
    if fd >= 0 { close(fd) }
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
  var hasRung: Bool { Clock.steady() - start >= .seconds(1) }

  deinit {
    var interruption = interruption
    cpipe_end_interruption(&interruption)
    Stops.noteCaught()
  }
}

/// The text of `boot_id` (random(4)), which is another one after each start of the machine.
package enum Boot {
  /// Bytes of the text.
  package static let length = 36

  /// nil where the system does not tell, as without /proc.
  package static func id() -> [UInt8]? {
    let fd = retryingInterrupts {
      cpipe_openat(AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC, 0)
    }
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var text = [UInt8](repeating: 0, count: length)
    let count = text.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
    return count == length ? text : nil
  }
}
