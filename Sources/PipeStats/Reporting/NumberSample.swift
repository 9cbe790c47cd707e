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

/// A number as JSON has it: to the digits of a double, or a whole number of 64 bits with all of them.
package struct SampledNumber: Hashable, Comparable, Sendable {
  package let value: Double
  /// How much a whole number is more than `value`; nil for others.
  let rest: Int16?

  package init(_ value: Double) {
    // One zero, whatever its sign.
    self.value = value == 0 ? 0 : value
    rest = nil
  }

  /// Decimal digits, and a minus before them; nil where it is no whole number of 64 bits.
  package init?(whole digits: some StringProtocol) {
    // Short ones are read far faster.
    let short = Int64(digits).map { Int128($0) }
    guard let whole = short ?? Int128(digits), whole.magnitude <= UInt64.max else { return nil }
    value = Double(whole)
    // Two doubles of this size are no more than 2,048 apart.
    rest = Int16(whole - Int128(value))
  }

  package static func < (one: SampledNumber, other: SampledNumber) -> Bool {
    (one.value, one.rest ?? 0) < (other.value, other.rest ?? 0)
  }
}

extension SampledNumber {
  /// The fewest digits that are read back as the same number; a whole one ends in `.0`.
  var text: String {
    if let rest { return "\(Int128(value) + Int128(rest)).0" }
    guard let digits = Decimal(shortest: value) else { return "null" }
    if value == 0 { return "0.0" }
    return digits.point > 17 || digits.point < -8 ? digits.scientific : digits.plain
  }
}

/// Percentiles of a member of JSON Lines.
extension NumberSample {
  private var shown: [SampledNumber?] { percentiles(Latency.percentiles.map(\.percentile)) }
  private var average: SampledNumber? { mean.map(SampledNumber.init) }

  /// One line of JSON. `skipped`: lines without such a number.
  package func line(skipped: Int) -> String {
    let members = percentileMembers(count, average, shown, largest) { $0?.text ?? "null" }
    return object(members + [("skipped", "\(skipped)")]) + "\n"
  }

  /// For people; `name` is what was measured.
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
