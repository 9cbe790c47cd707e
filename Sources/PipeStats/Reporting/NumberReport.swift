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
