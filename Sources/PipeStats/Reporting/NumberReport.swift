/// Percentiles of a member of JSON Lines.
extension NumberSample {
  private var shown: [Double?] { percentiles(Latency.percentiles.map(\.percentile)) }

  /// One line of JSON. `skipped`: lines without such a number.
  package func line(skipped: Int) -> String {
    object(percentileMembers(count, mean, shown, max, exact) + [("skipped", "\(skipped)")]) + "\n"
  }

  /// For people; `name` is what was measured.
  package func table(_ name: String) -> String {
    var grid = Grid(label: 8, cell: 12)
    grid.row("count", [whole(count)])
    grid.row("mean", [shortest(mean)])
    for (percentile, value) in zip(Latency.percentiles, shown) {
      grid.row(percentile.name, [shortest(value)])
    }
    grid.row("max", [shortest(max)])
    return ([name] + grid.lines).map { $0 + "\n" }.joined()
  }

  /// To 15 digits, which any decimal of so many survives.
  private func exact(_ value: Double?) -> String {
    guard let value, let digits = Decimal(value, digits: 15) else { return "null" }
    if value == 0 { return "0.0" }
    return digits.point > 17 || digits.point < -8 ? digits.scientific : digits.plain
  }

  private func shortest(_ value: Double?) -> String {
    guard value != nil else { return "-" }
    let text = exact(value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
