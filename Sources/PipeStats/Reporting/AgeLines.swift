/// Waiting items by age and priority, as Postfix's qshape has them. No lines when nothing waits.
struct AgeLines {
  private let ages: AgeTable

  init(_ ages: AgeTable) { self.ages = ages }

  var lines: [String] {
    let all = ages.counts.named.map { ($0.name, [sum($0.value)] + $0.value) }
    guard all.contains(where: { $0.1[0] > 0 }) else { return [] }
    let (unit, size) = unit
    let bounds = ages.bounds.map { "\(Int(($0 / size).rounded()))" }
    var grid = Grid(label: 8, cell: 6, gap: 1)
    grid.row("", ["all"] + bounds.map { "<" + $0 } + [(bounds.last ?? "0") + "+"])
    for (name, counts) in all { grid.row(name, counts.map { $0 == 0 ? "-" : short($0) }) }
    return ["waiting, by age in \(unit)"] + grid.lines
  }

  private var unit: (name: String, seconds: Double) {
    let first = ages.bounds.first ?? 1
    if first >= 3600 { return ("hours", 3600) }
    return first >= 60 ? ("minutes", 60) : ("seconds", 1)
  }

  private func sum(_ counts: [Int]) -> Int { counts.reduce(0, &+) }
}
