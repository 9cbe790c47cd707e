/// A distribution of any numbers, of either sign and any size, in bounded memory. (HdrHistogram counts whole
/// numbers from 0 on.) Numbers are told apart by their leading bits, 5 significant digits; where there are
/// too many of them, by fewer. Of those that are not told apart the first one seen stands for all.
package struct NumberSample {
  private var classes: [Int64: (first: Double, count: Int)] = [:]
  /// Leading bits that tell numbers apart: sign, exponent, and the rest of the significand.
  private var bits = 29
  package private(set) var count = 0
  package private(set) var max: Double?
  private var average = 0.0

  /// Some MB.
  private static let mostClasses = 1 << 17

  package init() {}

  /// What is not finite is left out.
  package mutating func record(_ value: Double) {
    guard value.isFinite else { return }
    count += 1
    max = Swift.max(max ?? value, value)
    // A sum of the largest would overflow.
    average += value / Double(count) - average / Double(count)
    classes[key(value), default: (value, 0)].count += 1
    while classes.count > NumberSample.mostClasses { coarsen() }
  }

  package var mean: Double? { count > 0 ? average : nil }

  /// The least number that `percent` percent of all do not exceed.
  package func percentiles(_ percents: [Double]) -> [Double?] {
    let ordered = classes.sorted { $0.key < $1.key }.map(\.value)
    return percents.map { percent in
      let rank = Swift.max(1, Int((Double(count) * percent.nextDown / 100).rounded(.up)))
      var seen = 0
      for item in ordered {
        seen += item.count
        if seen >= rank { return item.first }
      }
      return ordered.last?.first
    }
  }

  // Ascends with the number: of negative ones the bits descend.
  private func key(_ value: Double) -> Int64 {
    let pattern = Int64(bitPattern: (value == 0 ? 0.0 : value).bitPattern)
    return (pattern < 0 ? pattern ^ .max : pattern) >> (64 - bits)
  }

  private mutating func coarsen() {
    guard bits > 14 else { return }
    bits -= 3
    let finer = classes.sorted { $0.key < $1.key }
    classes.removeAll(keepingCapacity: true)
    for (_, item) in finer {
      classes[key(item.first), default: (item.first, 0)].count += item.count
    }
  }
}
