/// A distribution of any numbers, of either sign and any size, in bounded memory. (HdrHistogram counts whole
/// numbers from 0 on.) All that differ are told apart; where there are too many of them, by their leading bits
/// alone, and of those that are alike the largest stands for all.
package struct NumberSample {
  private var classes: [Key: (largest: SampledNumber, count: Int)] = [:]
  /// Leading bits that tell numbers apart: sign, exponent, and the rest of the significand.
  private var bits = 64
  package private(set) var count = 0
  private(set) var largest: SampledNumber?
  /// Of all of them, made small enough that the largest add up; with Kahan's compensation (1965).
  private var sum = 0.0
  private var compensation = 0.0

  private static let scale = 0x1p-64

  /// Some MB.
  private static let mostClasses = 1 << 17

  private struct Key: Hashable, Comparable {
    let bits: Int64
    let rest: Int16

    static func < (one: Key, other: Key) -> Bool { (one.bits, one.rest) < (other.bits, other.rest) }
  }

  package init() {}

  /// What is not finite is left out.
  package mutating func record(_ number: SampledNumber) {
    let value = number.value
    guard value.isFinite else { return }
    count += 1
    largest = Swift.max(largest ?? number, number)
    let term = value * NumberSample.scale - compensation
    let next = sum + term
    compensation = (next - sum) - term
    sum = next
    add(1, number)
    while classes.count > NumberSample.mostClasses { coarsen() }
  }

  package var mean: Double? { count > 0 ? sum / Double(count) / NumberSample.scale : nil }

  /// The least number that `percent` percent of all do not exceed.
  func percentiles(_ percents: [Double]) -> [SampledNumber?] {
    let ordered = classes.sorted { $0.key < $1.key }.map(\.value)
    return percents.map { percent in
      let rank = Swift.max(1, Int((Double(count) * percent.nextDown / 100).rounded(.up)))
      var seen = 0
      for item in ordered {
        seen += item.count
        if seen >= rank { return item.largest }
      }
      return ordered.last?.largest
    }
  }

  // Ascends with the number: of negative ones the bits descend.
  private func key(_ number: SampledNumber) -> Key {
    let pattern = Int64(bitPattern: number.value.bitPattern)
    let ascending = (pattern < 0 ? pattern ^ .max : pattern) >> (64 - bits)
    return Key(bits: ascending, rest: bits == 64 ? number.rest ?? 0 : 0)
  }

  private mutating func coarsen() {
    // Leading bits of what a program computes differ; where they do not, it is seldom called.
    bits = bits > 40 ? 40 : bits - 1
    let finer = classes.values
    classes = [:]
    for item in finer { add(item.count, item.largest) }
  }

  private mutating func add(_ more: Int, _ number: SampledNumber) {
    let key = key(number)
    let known = classes[key] ?? (number, 0)
    classes[key] = (Swift.max(known.largest, number), known.count + more)
  }
}
