import Foundation
import TestSupport
import Testing

/// Lines of stats/log as consumers append them (pipe-queue(5), STATS), at the test's own times.
struct StatsLog {
  private var text = ""

  /// Times are in microseconds; `ago`: how long ago the batch was settled.
  mutating func add(
    _ outcome: String = "done", service: Int, items: Int = 1, waits: String? = nil,
    tag: String = "-", ago: Int = 0
  ) {
    let time = Int(Date().timeIntervalSince1970 * 1e6) - ago
    let waits = outcome == "done" ? waits ?? "0*\(items)" : "-"
    let rest = " \(time) \(tag) \(outcome) \(service) \(items) \(waits)"
    text += "\n" + checksum(rest) + rest
  }

  func write(to scratch: Scratch, queue: String = "queue") throws {
    try scratch.prepare("init", "-q", queue)
    let line = #"mkdir -m 700 -p "$Q/stats"; cat >> "$Q/stats/log""#
    try scratch.sh(line, input: text, ["Q": queue]).expect("")
  }
}
