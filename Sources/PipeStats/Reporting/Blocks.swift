/// Columns of Unicode blocks, eight steps to a line.
enum Blocks {
  private static let steps: [Character] = Array(" ▁▂▃▄▅▆▇█")

  /// Lines from the top. Each height is from 0 to 1; what is more than 0 shows at least one step.
  static func lines(_ heights: [Double], rows: Int) -> [String] {
    let eighths = heights.map { height in
      height > 0 ? max(1, Int((min(1, height) * Double(rows * 8)).rounded())) : 0
    }
    return (0..<rows).reversed().map { row in
      String(eighths.map { steps[max(0, min(8, $0 - row * 8))] })
    }
  }
}

/// One line of labels, each centred at its column if it has room there.
struct LabelLine {
  private var cells: [Character]

  init(columns: Int) { cells = Array(repeating: " ", count: max(0, columns)) }

  /// Whether it was written: there was room, and a space on either side.
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
