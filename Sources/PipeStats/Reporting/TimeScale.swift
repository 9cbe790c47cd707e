internal import Glibc

/// A logarithmic axis between two round times.
struct TimeScale {
  struct Tick {
    let seconds: Double
    let label: String
    /// Of each power of ten, or of a larger unit, one.
    let isMajor: Bool
  }

  /// Ascending; the first and the last are the ends of the axis.
  let ticks: [Tick]

  private var lower: Double { ticks[0].seconds }
  private var upper: Double { ticks[ticks.count - 1].seconds }

  /// From the round time below to the one above. What is shorter than 1 µs stands at 1 µs.
  init(from least: Double, to greatest: Double) {
    let all = TimeScale.round
    var first = all.lastIndex { $0.seconds <= least * (1 + 1e-9) } ?? 0
    var last = all.firstIndex { $0.seconds >= greatest * (1 - 1e-9) } ?? all.count - 1
    if last <= first { (first, last) = first > 0 ? (first - 1, first) : (0, 1) }
    ticks = Array(all[first...last])
  }

  /// 0 at the lower end, 1 at the upper.
  func place(_ seconds: Double) -> Double {
    guard seconds > lower else { return 0 }
    return min(1, log(seconds / lower) / log(upper / lower))
  }

  /// The same in columns, from 0.
  func column(of seconds: Double, _ columns: Int) -> Int {
    min(columns - 1, Int(place(seconds) * Double(columns)))
  }

  /// From 1 µs to the 30 days that a latency can have.
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
