import Foundation
import Glibc
import TestSupport

/// Seconds by a clock that cannot be set, as in /proc/uptime.
func uptime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_BOOTTIME, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Shell commands that append to `log` when they ran and what they read: `6.25 1 2 3`
let stamp = "read up rest < /proc/uptime; echo $up $(tr '\\n' ' ') >> log"

/// A line that `stamp` wrote.
struct Stamp {
  let time: Double
  let data: String

  init(_ line: String) {
    let words = line.split(separator: " ", maxSplits: 1)
    time = words.first.flatMap { Double($0) } ?? 0
    data = words.count > 1 ? words[1].trimmingCharacters(in: .whitespaces) : ""
  }
}
