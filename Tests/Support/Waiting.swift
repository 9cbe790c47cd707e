import Foundation
import Glibc

/// How long a test waits for what never takes that long, even on a busy machine.
package enum Patience {
  /// Seconds without an event.
  package static let seconds = 300
  package static let milliseconds = Int32(seconds * 1000)
  /// Seconds: a process that still prints after this time never stops.
  static let limit = 1800
}

/// Polls until the condition holds.
package func wait(
  until condition: () throws -> Bool, _ what: String = "what was waited for"
) throws {
  let start = time(nil)
  while try !condition() {
    if time(nil) - start > Patience.seconds {
      throw Failure("\(what) did not come in \(Patience.seconds / 60) minutes")
    }
    // Polling must not take the processor from the processes that work.
    usleep(500)
  }
}

/// Waits until the count has reached the goal. On a busy machine this takes minutes: only a standstill fails.
package func wait(for goal: Int, _ what: String, count: () throws -> Int) throws {
  var last = try count()
  while last < goal {
    let reached = last
    try wait(
      until: {
        last = try count()
        return last > reached
      }, "\(what) \(reached + 1) of \(goal)")
  }
}

/// Waits until the file is old enough to be folded: untouched for two seconds.
package func waitUntilUntouched(_ path: String) throws {
  try wait(
    until: {
      var (found, now) = (stat(), timespec())
      guard lstat(path, &found) == 0 else { throw Failure("no \(path)") }
      clock_gettime(CLOCK_REALTIME, &now)
      let seconds = now.tv_sec - found.st_ctim.tv_sec
      return seconds > 2 || seconds == 2 && now.tv_nsec > found.st_ctim.tv_nsec
    }, "the rest of \(path)")
}
