internal import Glibc
internal import PipeText

/// Columns of Unicode blocks, eight steps per line.
enum Blocks {
  private static let steps: [Character] = Array(" ▁▂▃▄▅▆▇█")

  /// Lines from the top. Heights are from 0 to 1; a height above 0 shows at least one step.
  static func lines(_ heights: [Double], rows: Int) -> [String] {
    let eighths = heights.map { height in
      height > 0 ? max(1, Int((min(1, height) * Double(rows * 8)).rounded())) : 0
    }
    return (0..<rows).reversed().map { row in
      String(eighths.map { steps[max(0, min(8, $0 - row * 8))] })
    }
  }
}

/// One line of labels, each centred at its column if there is room.
struct LabelLine {
  private var cells: [Character]

  init(columns: Int) { cells = Array(repeating: " ", count: max(0, columns)) }

  /// Writes the label if there is room and a space on either side; returns whether there was.
  mutating func write(_ label: String, at column: Int) -> Bool {
    let start = max(0, min(cells.count - label.count, column - label.count / 2))
    let end = start + label.count
    guard end <= cells.count else { return false }
    let around = max(0, start - 1)..<min(cells.count, end + 1)
    guard cells[around].allSatisfy({ $0 == " " }) else { return false }
    cells.replaceSubrange(start..<end, with: label)
    return true
  }

  var text: String { String(cells).trimmed }
}

/// Rows of right-aligned cells, each row after its label.
struct Grid {
  private let label: Int
  private let cell: Int
  private let gap: Int
  private var rows: [(label: String, cells: [String])] = []

  /// Columns of the label, the least width of a cell, and the least gap between two cells.
  init(label: Int = 12, cell: Int = 14, gap: Int = 2) {
    self.label = label
    self.cell = cell
    self.gap = gap
  }

  mutating func row(_ label: String, _ cells: [String]) { rows.append((label, cells)) }

  var lines: [String] {
    let widest = rows.flatMap(\.cells).map(\.count).max() ?? 0
    let width = max(cell, widest + gap)
    return rows.map { row in
      row.label.left(label) + row.cells.map { $0.right(width) }.joined()
    }
  }
}

/// A logarithmic axis between two round times.
struct TimeScale {
  struct Tick {
    let seconds: Double
    let label: String
    /// Whether its number is a power of ten, or it is the last, 30 d.
    let isMajor: Bool
  }

  /// Ascending; the first and the last are the ends of the axis.
  let ticks: [Tick]

  private var lower: Double { ticks[0].seconds }
  private var upper: Double { ticks[ticks.count - 1].seconds }

  /// From the round time at or below `least` to the one at or above `greatest`. Times below 1 µs
  /// are drawn at 1 µs.
  init(from least: Double, to greatest: Double) {
    let all = TimeScale.round
    var first = all.lastIndex { $0.seconds <= least * (1 + 1e-9) } ?? 0
    var last = all.firstIndex { $0.seconds >= greatest * (1 - 1e-9) } ?? all.count - 1
    if last <= first { (first, last) = first > 0 ? (first - 1, first) : (0, 1) }
    ticks = Array(all[first...last])
  }

  /// 0 at the lower end, 1 at the upper end.
  func place(_ seconds: Double) -> Double {
    guard seconds > lower else { return 0 }
    return min(1, log(seconds / lower) / log(upper / lower))
  }

  /// The same as a column, counted from 0.
  func column(of seconds: Double, _ columns: Int) -> Int {
    min(columns - 1, Int(place(seconds) * Double(columns)))
  }

  /// From 1 µs to 30 days, the range of `Latency`.
  private static let round: [Tick] = {
    let small = [("us", 1e-6), ("ms", 1e-3)].flatMap { name, unit in
      [1.0, 2, 5, 10, 20, 50, 100, 200, 500].map { count in
        let isMajor = [1, 10, 100].contains(count)
        return Tick(seconds: count * unit, label: "\(Int(count)) \(name)", isMajor: isMajor)
      }
    }
    let large: [(name: String, unit: Double, counts: [Double])] = [
      ("s", 1, [1, 2, 5, 10, 20]), ("min", 60, [0.5, 1, 2, 5, 10, 20]),
      ("h", 3600, [0.5, 1, 2, 5, 12]), ("d", 86_400, [1, 2, 5, 10, 30]),
    ]
    return small
      + large.flatMap { name, unit, counts in
        counts.map { count in
          let label = count < 1 ? half(of: name) : "\(Int(count)) \(name)"
          return Tick(
            seconds: count * unit, label: label, isMajor: [1, 10, 30].contains(count))
        }
      }
  }()

  private static func half(of unit: String) -> String { unit == "h" ? "30 min" : "30 s" }
}

/// A distribution for a chart: the share of all values in each column of a logarithmic axis.
struct Spread {
  let scale: TimeScale
  /// Each from 0 to 1; they add up to 1.
  let shares: [Double]
  /// The percentiles and the maximum, by name.
  let marks: [(name: String, seconds: Double)]

  /// Nil if nothing was measured.
  init?(_ latency: Latency, columns: Int) {
    let values = latency.values
    guard columns > 0, let least = values.first?.seconds, let longest = latency.max else {
      return nil
    }
    let scale = TimeScale(from: least, to: longest)
    let all = Double(latency.count)
    var shares = Array(repeating: 0.0, count: columns)
    for (seconds, count) in values {
      shares[scale.column(of: seconds, columns)] += Double(count) / all
    }
    self.scale = scale
    self.shares = shares
    marks =
      Latency.percentiles.map { ($0.name, latency.percentile($0.percentile) ?? 0) }
      + [("max", longest)]
  }
}

/// The end of an axis: one digit and a power of ten, not less than `value`; 1 if `value` is 0.
func roundedUp(_ value: Double) -> Double {
  guard value.isFinite, value > 0, value < 1e300 else { return 1 }
  var power = 1.0
  while power * 10 <= value { power *= 10 }
  while power > value { power /= 10 }
  let factor = [1.0, 2, 3, 4, 5, 6, 8, 10].first { power * $0 >= value * (1 - 1e-9) } ?? 10
  return power * factor
}

/// A round number without zeros at its end: `0.5`, `20`, `500k`.
func roundText(_ value: Double) -> String {
  if value >= 100_000, let multiple = multiples.first(where: { value >= $0.size }) {
    return roundText(value / multiple.size) + multiple.name
  }
  guard let text = Decimal(value, digits: 3)?.plain else { return "-" }
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
