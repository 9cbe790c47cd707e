/// Percentiles of a member of JSON Lines.
extension NumberSample {
  private var shown: [Double?] { percentiles(Latency.percentiles.map(\.percentile)) }

  /// One line of JSON. `skipped`: lines without such a number.
  package func line(skipped: Int) -> String {
    percentileObject(count, mean, shown, max, [("skipped", "\(skipped)")]) + "\n"
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

  private func shortest(_ value: Double?) -> String {
    guard value != nil else { return "-" }
    let text = number(value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
