internal import Glibc

package enum Clock {
  /// Microseconds since the Unix epoch, by the wall clock: it may step.
  package static func now() -> Int64 { microseconds(CLOCK_REALTIME) }

  /// Microseconds since boot, through suspension: it never steps. For waiting.
  package static func steady() -> Int64 { microseconds(CLOCK_BOOTTIME) }

  private static func microseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}
