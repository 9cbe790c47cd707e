/// A distribution as it is drawn: what share of all falls into each column of a logarithmic axis.
struct Spread {
  let scale: TimeScale
  /// From 0 to 1 each, 1 together.
  let shares: [Double]
  /// The percentiles and the longest, by their names.
  let marks: [(name: String, seconds: Double)]

  /// Nil when nothing was measured.
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

/// The end of an axis: one digit and a power of ten, not less than this; 1 of nothing.
func roundedUp(_ value: Double) -> Double {
  guard value.isFinite, value > 0, value < 1e300 else { return 1 }
  var power = 1.0
  while power * 10 <= value { power *= 10 }
  while power > value { power /= 10 }
  let factor = [1.0, 2, 3, 4, 5, 6, 8, 10].first { power * $0 >= value * (1 - 1e-9) } ?? 10
  return power * factor
}

/// A round number, without zeros that say nothing: `0.5`, `20`, `500k`.
func roundText(_ value: Double) -> String {
  if value >= 100_000, let multiple = multiples.first(where: { value >= $0.size }) {
    return roundText(value / multiple.size) + multiple.name
  }
  guard let text = Decimal(value, digits: 3)?.plain else { return "-" }
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
