/// Rows of cells that are right-aligned below each other, each row after its label.
struct Grid {
  private let label: Int
  private let cell: Int
  private let gap: Int
  private var rows: [(label: String, cells: [String])] = []

  /// Columns of the labels, the least of a cell, and the least between two cells.
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
