internal import PipeText
package import PipeTime

/// Shows which periods differ from the others by more than chance explains: Shewhart, Economic
/// Control of Quality of Manufactured Product (1931), with limits at three standard deviations.
package struct ControlChart {
  package let points: [Point]
  /// Nil if too few periods have data.
  package let centre: Double?

  /// Below this number of periods with data, there are no limits.
  package static let fewest = 8

  package struct Point {
    package let start: Instant
    /// Nil in a gap.
    package let value: Double?
    /// Nil in a gap, and if there are too few periods.
    package let limits: Interval?

    /// Nil without a value or limits.
    package var state: State? {
      guard let value, let limits else { return nil }
      // The limits of equal values differ from them by rounding alone.
      let slack = 1e-9 * (abs(limits.low) + abs(limits.high))
      if value > limits.high + slack { return .high }
      return value < limits.low - slack ? .low : .inside
    }
  }

  package enum State: String { case low, inside, high }

  /// Individual values: centre ± 2.66 × the mean moving range, where 2.66 = 3/1.128 estimates three
  /// standard deviations from ranges of two: NIST/SEMATECH e-Handbook of Statistical Methods
  /// (2012), 6.3.2.2. Gaps are left out, so a range may span one. No limit is below 0.
  init(individuals: [(start: Instant, value: Double?)]) {
    let values = individuals.compactMap(\.value).filter(\.isFinite)
    let centre = Self.mean(values)
    let ranges = zip(values, values.dropFirst()).map { abs($1 - $0) }
    let half = 2.66 * (Self.mean(ranges) ?? 0)
    let isEnough = values.count >= Self.fewest
    self.centre = isEnough ? centre : nil
    points = individuals.map { start, value in
      guard let value, value.isFinite else { return Point(start: start, value: nil, limits: nil) }
      let limits = centre.map { Interval(low: max(0, $0 - half), high: $0 + half) }
      return Point(start: start, value: value, limits: isEnough ? limits : nil)
    }
  }

  /// Proportions of wholes that differ in size: p ± 3·√(p(1−p)/n) with the n of each period,
  /// NIST/SEMATECH e-Handbook of Statistical Methods (2012), 6.3.3.2. Assumes that each of the n
  /// fails independently of the others; otherwise, if n is very large, points leave the limits too
  /// easily.
  init(proportions: [(start: Instant, value: Proportion)]) {
    let whole = proportions.reduce(0) { $0 + $1.value.whole }
    let centre = whole > 0 ? proportions.reduce(0) { $0 + $1.value.part } / whole : 0
    let isEnough = proportions.filter { $0.value.whole > 0 }.count >= Self.fewest
    self.centre = isEnough ? centre : nil
    points = proportions.map { start, value in
      guard let ratio = value.ratio else { return Point(start: start, value: nil, limits: nil) }
      let half = 3 * (centre * (1 - centre) / value.whole).squareRoot()
      let limits = Interval(low: max(0, centre - half), high: min(1, centre + half))
      return Point(start: start, value: ratio, limits: isEnough ? limits : nil)
    }
  }

  /// Periods with data, and those of them that are outside their limits.
  package var filled: Int { points.filter { $0.value != nil }.count }
  package var outside: Int { points.filter { $0.state == .low || $0.state == .high }.count }

  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0) { $0 + $1 / Double(values.count) }
  }
}

/// The charts of a queue's recent past.
package struct ControlCharts {
  /// Mean service time of the acknowledged batches of a period, in seconds.
  package let service: ControlChart
  /// Failed batches among all settled in a period.
  package let failures: ControlChart

  package init(_ periods: [Period]) {
    service = ControlChart(individuals: periods.map { ($0.start, $0.meanService) })
    failures = ControlChart(
      proportions: periods.map {
        ($0.start, Proportion(part: $0.failures, rest: $0.batches))
      })
  }
}

/// Maps values to columns of a line of text. The line holds the limits of all points, with half
/// their width free on both sides; a value beyond it is shown at the edge.
struct ControlScale {
  private let from: Double
  private let to: Double
  private let columns = 53

  init(_ chart: ControlChart) {
    let limits = chart.points.compactMap(\.limits)
    let low = limits.map(\.low).min() ?? 0
    let high = limits.map(\.high).max() ?? 0
    let width = high - low
    let margin = width > 0 ? width / 2 : max(high / 2, 1e-9)
    from = max(0, low - margin)
    to = high + margin
  }

  /// `(` and `)` at the limits, `|` at the centre, `o` at the value, or `*` if it is outside.
  func line(_ point: ControlChart.Point, centre: Double) -> String {
    guard let value = point.value, let limits = point.limits else { return "" }
    var line = [Character](repeating: " ", count: columns)
    line[column(centre)] = "|"
    line[column(limits.low)] = "("
    line[column(limits.high)] = ")"
    line[column(value)] = point.state == .inside ? "o" : "*"
    return String(line)
  }

  private func column(_ value: Double) -> Int {
    let part = (value - from) / (to - from)
    guard part.isFinite else { return columns - 1 }
    return Int((min(1, max(0, part)) * Double(columns - 1)).rounded())
  }
}

extension ControlCharts {
  /// The charts as one line of JSON, without its newline. Times in seconds (`start` since the
  /// epoch), failures as fractions of 1; null in gaps.
  package var line: String {
    object(["service": service.json, "failures": failures.json])
  }
}

extension ControlChart {
  fileprivate var json: String {
    let verdict =
      centre == nil ? "too few periods" : outside == 0 ? "in control" : "out of control"
    let periods = points.map { point in
      object([
        "start": number(point.start.seconds), "value": number(point.value),
        "low": number(point.limits?.low), "high": number(point.limits?.high),
        "state": point.state.map { quoted($0.rawValue) } ?? "null",
      ])
    }
    return object([
      "verdict": quoted(verdict), "outside": "\(outside)", "centre": number(centre),
      "periods": "[" + periods.joined(separator: ",") + "]",
    ])
  }
}

extension ControlCharts {
  /// The charts for people: at most 80 columns, readable without colour, a newline at the end.
  package var text: String {
    let lines =
      ["mean service time of a batch"] + service.lines { inUnits($0) }
      + ["", "batches that failed"] + failures.lines { percent($0) }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ControlChart {
  /// One line per period, then the conclusion. Times are UTC.
  func lines(_ said: (Double) -> String) -> [String] {
    guard let centre else {
      return ["too few periods: \(filled) with batches, \(Self.fewest) needed"]
    }
    let scale = ControlScale(self)
    let rows = points.map { point in
      let value = (point.value.map(said) ?? "-").right(10)
      let row = "\(UTC(point.start).clock) \(value)  \(scale.line(point, centre: centre))"
      guard let state = point.state, state != .inside else { return row.trimmed }
      return "\(row) \(state.rawValue)"
    }
    return [bounds(centre, said)] + rows + [sum]
  }

  private func bounds(_ centre: Double, _ said: (Double) -> String) -> String {
    let limits = points.compactMap(\.limits)
    let start = "centre \(said(centre)) |, limits "
    guard let first = limits.first, limits.allSatisfy({ $0 == first }) else {
      return start + "( ) depend on the number of batches; times in UTC"
    }
    return start + "( \(said(first.low)) to \(said(first.high)) ); times in UTC"
  }

  private var sum: String {
    outside == 0
      ? "in control: no period is outside its limits"
      : "out of control: \(counted(outside, "period is", "periods are")) outside the limits"
  }
}
