import Foundation
@testable import PipeIO
@testable import PipeQueue

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

  init(_ queue: Queue, since: Int64? = nil, at now: Int64 = Clock.now()) throws {
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

extension SettledLine {
  var text: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }

  /// Done items, each after the same wait. Microseconds.
  static func done(
    _ items: Int = 1, at time: Int64 = Clock.now(), service: Int = 5000, wait: Int = 70_000,
    tag: String? = nil
  ) -> SettledLine {
    SettledLine(
      time: time, tag: tag, outcome: .done, service: service, items: items, waits: [(wait, items)])
  }

  /// A random line.
  static func random(at time: Int64, _ numbers: inout SplitMix) -> SettledLine {
    let outcome = numbers.pick([Outcome.done, .done, .done, .retried, .buried])
    let service = 1 << numbers.number(0...40)
    let tag = numbers.pick([nil, "blue", "green"])
    var line = SettledLine(time: time, tag: tag, outcome: outcome, service: service, items: 0)
    for _ in 0...numbers.number(0...3) {
      let count = numbers.number(1...9)
      line.items += count
      if outcome == .done { line.waits.append((numbers.number(0...10_000_000), count)) }
    }
    return line
  }

  init?(_ text: [UInt8]) {
    guard let line = text.withUnsafeBytes({ SettledLine($0) }) else { return nil }
    self = line
  }
}

extension Scratch {
  func stats(_ name: String) -> String { "\(path)/stats/\(name)" }

  var statsNames: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path + "/stats")) ?? []).sorted()
  }

  /// Records like a consumer that has just started.
  func note(_ lines: SettledLine...) { note(lines) }

  func note(_ lines: [SettledLine]) { SettleLog(queue).note(lines, at: 0) }

  /// Closes the log and folds those closed before, as if `seconds` from now.
  func fold(in seconds: Int64 = 0, closing size: Int = 1) throws {
    try CompactionPlan(queue, at: Clock.now() + seconds * 1_000_000).run(closing: size)
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: stats(name))))
  }

  func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
    try FileManager.default.createDirectory(
      atPath: path + "/stats", withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: stats(name)))
  }
}
