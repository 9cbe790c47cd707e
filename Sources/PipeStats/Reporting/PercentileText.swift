internal import Glibc

extension Latency {
  /// What HdrHistogram's plotters read, in milliseconds, as they expect. To the letter what
  /// `outputPercentileDistribution` of the library writes with 5 ticks; but that traps past 2⁶⁴ µs in all, and
  /// has its counts in 32 bits.
  package var percentileText: String {
    let rows = percentileRows.map { row in
      let level = row.level / 100
      let line = "\(milliseconds(row.longest)) \(fixed(level, 12)) \("\(row.count)".right(10))"
      return line + (level < 1 ? " " + fixed(1 / (1 - level), 2).right(14) : "")
    }
    let head = "       Value     Percentile TotalCount 1/(1-Percentile)\n"
    return ([head] + rows + footer).map { $0 + "\n" }.joined()
  }

  private var footer: [String] {
    let count = Double(self.count)
    let mean = (moments?.mean ?? 0) * 1e3
    // Of all that was recorded, not of a sample.
    let variance = count > 1 ? (moments?.variance ?? 0) * (count - 1) / count : 0
    let deviation = variance.squareRoot() * 1e3
    return [
      "#[Mean    = \(fixed(mean, 3).right(12)), StdDeviation   = \(fixed(deviation, 3).right(12))]",
      "#[Max     = \(milliseconds(classes.last?.longest ?? 0)),"
        + " Total count    = \("\(self.count)".right(12))]",
      "#[Buckets = \("32".right(12)), SubBuckets     = \("2048".right(12))]",
    ]
  }

  private func milliseconds(_ microseconds: UInt64) -> String {
    fixed(Double(microseconds) / 1e3, 3).right(12)
  }

  /// Five steps to each half of what is left to 100 %: 0, 10, 20 … 50, 55 … 75, 77.5 …
  private var percentileRows: [(level: Double, longest: UInt64, count: Int)] {
    let classes = classes
    let all = Double(count)
    var rows: [(level: Double, longest: UInt64, count: Int)] = []
    var level = 0.0
    var below = 0
    for (_, longest, count) in classes.dropLast() {
      below += count
      while level < 100, level <= 100 * Double(below) / all {
        rows.append((level, longest, below))
        level = next(level)
      }
    }
    guard let last = classes.last else { return [] }
    if level < 100 { rows.append((level, last.longest, count)) }
    return rows + [(100, last.longest, count)]
  }

  private func next(_ level: Double) -> Double {
    let halves = floor(log2(100 / (100 - level))) + 1
    return level + 100 / (5 * exp2(halves))
  }
}
