@testable import PipeIO
@testable import PipeQueue
import PipeTime

/// The sums of recordings, by kind and tag: two equal tallies are of the same items.
struct Tally: Equatable, CustomStringConvertible {
  struct Sum: Equatable {
    var items = 0
    /// By the longest time of the class, microseconds.
    var counts: [Int: Int] = [:]
  }

  private(set) var sums: [String: Sum] = [:]

  /// The sums before anything was folded.
  init(_ lines: [SettledLine]) {
    for line in lines {
      switch line.outcome {
      case .retried: add("retried", line, [(line.service, 1)])
      case .buried: add("buried", line, [(line.service, 1)])
      case .done:
        add("batches", line, [(line.service, 1)])
        add("service", line, [(line.service, line.items)])
        add("wait", line, line.waits)
        add("total", line, line.waits.map { ($0.microseconds + line.service, $0.count) })
      }
    }
  }

  init(_ queue: Queue, since: Instant? = nil, at now: Instant = Clock.now()) throws {
    var found = Tally([])
    try queue.recordings(since: since, at: now, isNeeded: true) { recording in
      found.add(recording.kind.rawValue, recording.tag, recording.items, recording.times)
    }
    self = found
  }

  private mutating func add(
    _ kind: String, _ line: SettledLine, _ times: [(microseconds: Int, count: Int)]
  ) {
    let longest = times.map {
      (HistogramBuckets.highest(of: HistogramBuckets.index(of: $0.microseconds)), $0.count)
    }
    add(kind, line.tag, line.items, longest)
  }

  private mutating func add(
    _ kind: String, _ tag: String?, _ items: Int, _ times: [(microseconds: Int, count: Int)]
  ) {
    var sum = sums["\(kind) \(tag ?? "-")"] ?? Sum()
    sum.items += items
    for time in times where time.count > 0 {
      sum.counts[time.microseconds, default: 0] += time.count
    }
    sums["\(kind) \(tag ?? "-")"] = sum
  }

  /// Number of done items.
  var done: Int { sums.filter { $0.key.hasPrefix("batches ") }.reduce(0) { $0 + $1.value.items } }

  var description: String {
    sums.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.items)" }.joined(separator: ", ")
  }
}
