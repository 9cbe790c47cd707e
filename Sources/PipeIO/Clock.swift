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
