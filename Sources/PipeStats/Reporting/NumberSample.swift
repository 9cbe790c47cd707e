internal import PipeText

/// A distribution of numbers of either sign and any size, in bounded memory. (HdrHistogram counts
/// whole numbers from 0 on.) It distinguishes all different numbers or, if there are too many, only
/// their leading bits; the largest number of a class then represents the class.
package struct NumberSample {
  private var classes: [Key: (largest: SampledNumber, count: Int)] = [:]
  /// Leading bits by which numbers are distinguished: sign, exponent, and the rest of the
  /// significand.
  private var bits = 64
  package private(set) var count = 0
  private(set) var largest: SampledNumber?
  /// The sum of all numbers, scaled down so that even the largest do not overflow; with Kahan's
  /// compensation (1965).
  private var sum = 0.0
  private var compensation = 0.0

  private static let scale = 0x1p-64

  /// A few MB.
  private static let mostClasses = 1 << 17

  private struct Key: Hashable, Comparable {
    let bits: Int64
    let rest: Int16

    static func < (one: Key, other: Key) -> Bool { (one.bits, one.rest) < (other.bits, other.rest) }
  }

  package init() {}

  /// Leaves out a number that is not finite.
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

  /// For each of `percents`, the least number that this percentage of all numbers do not exceed.
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

  // Ascends with the number: the bits of negative numbers descend.
  private func key(_ number: SampledNumber) -> Key {
    let pattern = Int64(bitPattern: number.value.bitPattern)
    let ascending = (pattern < 0 ? pattern ^ .max : pattern) >> (64 - bits)
    return Key(bits: ascending, rest: bits == 64 ? number.rest ?? 0 : 0)
  }

  private mutating func coarsen() {
    // Numbers that a program computes differ in their leading bits; other numbers need this seldom.
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

/// A JSON number: with the digits of a double, or a whole number of 64 bits with all its digits.
package struct SampledNumber: Hashable, Comparable, Sendable {
  package let value: Double
  /// The difference between a whole number and `value`; nil for other numbers.
  let rest: Int16?

  package init(_ value: Double) {
    // One zero, of either sign.
    self.value = value == 0 ? 0 : value
    rest = nil
  }

  /// Decimal digits after an optional minus; nil if this is not a whole number of 64 bits.
  package init?(whole digits: some StringProtocol) {
    // Short numbers parse far faster this way.
    let short = Int64(digits).map { Int128($0) }
    guard let whole = short ?? Int128(digits), whole.magnitude <= UInt64.max else { return nil }
    value = Double(whole)
    // Two neighbouring doubles of this size are at most 2,048 apart.
    rest = Int16(whole - Int128(value))
  }

  package static func < (one: SampledNumber, other: SampledNumber) -> Bool {
    (one.value, one.rest ?? 0) < (other.value, other.rest ?? 0)
  }
}

extension SampledNumber {
  /// The fewest digits that are read back as the same number; a whole number ends in `.0`.
  var text: String {
    if let rest { return "\(Int128(value) + Int128(rest)).0" }
    guard let digits = Decimal(shortest: value) else { return "null" }
    if value == 0 { return "0.0" }
    return digits.point > 17 || digits.point < -8 ? digits.scientific : digits.plain
  }
}

/// The percentiles of a member of JSON Lines.
extension NumberSample {
  private var shown: [SampledNumber?] { percentiles(Latency.percentiles.map(\.percentile)) }
  private var average: SampledNumber? { mean.map(SampledNumber.init) }

  /// One line of JSON. `skipped`: lines without such a number.
  package func line(skipped: Int) -> String {
    let members = percentileMembers(count, average, shown, largest) { $0?.text ?? "null" }
    return object(members + [("skipped", "\(skipped)")]) + "\n"
  }

  /// A table for people; `name`: what was measured.
  package func table(_ name: String) -> String {
    var grid = Grid(label: 8, cell: 12)
    grid.row("count", [whole(count)])
    grid.row("mean", [plain(average)])
    for (percentile, value) in zip(Latency.percentiles, shown) {
      grid.row(percentile.name, [plain(value)])
    }
    grid.row("max", [plain(largest)])
    return ([name] + grid.lines).map { $0 + "\n" }.joined()
  }

  private func plain(_ number: SampledNumber?) -> String {
    guard let text = number?.text else { return "-" }
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
