import struct TestSupport.SplitMix

@testable import PipeIO
@testable import PipeQueue
import PipeTime

extension SettledLine {
  var text: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }

  /// Done items, each after the same wait. Microseconds.
  static func done(
    _ items: Int = 1, at time: Instant = Clock.now(), service: Int = 5000, wait: Int = 70_000,
    tag: String? = nil
  ) -> SettledLine {
    SettledLine(
      time: time, tag: tag, outcome: .done, service: service, items: items, waits: [(wait, items)])
  }

  /// A random line.
  static func random(at time: Instant, _ numbers: inout SplitMix) -> SettledLine {
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
