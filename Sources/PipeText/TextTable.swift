/// A table whose rows are printed as they come: every column has a fixed width except the last, which gets
/// the rest of the line. Cells must be printable, without control characters.
package struct TextTable {
  package struct Column {
    let title: String
    let width: Int
    let isNumber: Bool

    /// `width`: in columns of the terminal; ignored in the last column. Numbers are aligned on the right.
    package init(_ title: String, _ width: Int = 0, isNumber: Bool = false) {
      self.title = title
      self.width = width
      self.isNumber = isNumber
    }
  }

  private static let gap = "  "

  private let columns: [Column]
  private let width: Int

  /// `width`: of the line, in columns.
  package init(_ columns: [Column], width: Int) {
    self.columns = columns
    self.width = width
  }

  package var head: String { row(columns.map(\.title)) }

  /// The columns that are left for the last cell; at least one.
  package var rest: Int {
    max(1, width - columns.dropLast().reduce(0) { $0 + $1.width + TextTable.gap.count })
  }

  /// A line without its newline, cut to the width.
  package func row(_ cells: [String]) -> String {
    var line = ""
    for (column, cell) in zip(columns, cells).dropLast() {
      let text = cell.cut(to: column.width)
      line += (column.isNumber ? text.right(column.width) : text.left(column.width)) + TextTable.gap
    }
    line += (cells.last ?? "").cut(to: rest)
    return line.trimmed.cut(to: width)
  }
}

extension String {
  /// The columns that a terminal needs for it.
  package var columns: Int { reduce(0) { $0 + $1.columns } }

  /// Not wider than `columns`; an ellipsis marks what was cut off.
  package func cut(to columns: Int) -> String {
    var used = 0
    // Where to cut if the rest does not fit.
    var fitting = startIndex
    for index in indices {
      if used < columns { fitting = index }
      used += self[index].columns
      guard used <= columns else { return columns > 0 ? self[..<fitting] + "…" : "" }
    }
    return self
  }
}

extension Character {
  /// Two for the scripts of East Asia and for emoji, as in Unicode's annex 11; none for a mark without a letter.
  var columns: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    if scalar.value < 0x300 { return 1 }
    if unicodeScalars.contains(where: \.isWide) { return 2 }
    return scalar.properties.generalCategory == .nonspacingMark ? 0 : 1
  }
}

extension Unicode.Scalar {
  fileprivate var isWide: Bool {
    if properties.isEmojiPresentation || value == 0xfe0f { return true }
    switch value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f,
      0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6,
      0x20000...0x3fffd:
      return true
    default: return false
    }
  }
}

/// Words as a shell takes them.
package func shellWords(_ words: [String]) -> String {
  let plain = "_./:=,@%+-"
  return words.map { word in
    let isPlain =
      !word.isEmpty
      && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || plain.contains($0) }
    let parts = word.split(separator: "'", omittingEmptySubsequences: false)
    return isPlain ? word : "'\(parts.joined(separator: "'\\''"))'"
  }.joined(separator: " ")
}
