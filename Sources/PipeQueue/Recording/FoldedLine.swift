internal import CPipeIO

/// A line of a folded file of stats/: what many settled lines come to.
///
///     CRC32C FIRST LAST TAG KIND ITEMS HISTOGRAM
struct FoldedLine {
  /// When the first and the last of them was settled, microseconds since the epoch.
  let first: Int64
  let last: Int64
  let tag: String?
  let kind: Recording.Kind
  let items: Int
  /// Ascending.
  let cells: [(index: Int, count: Int)]

  func append(to out: inout [UInt8]) {
    var columns = Array(" \(first) \(last) \(tag ?? "-") \(kind.rawValue) \(items) ".utf8)
    CellCode.append(cells, to: &columns)
    FoldedLine.append(columns, to: &out)
  }

  /// The last line of a file that was written to its end.
  static func appendEnd(lines: Int, to out: inout [UInt8]) {
    append(Array(" end \(lines)".utf8), to: &out)
  }

  /// How many lines are before this one, if it is the last.
  static func end(_ text: UnsafeRawBufferPointer) -> Int? {
    guard let rest = checked(text) else { return nil }
    var columns = Pieces(rest)
    guard let word = columns.next(before: space), word.elementsEqual("end".utf8) else {
      return nil
    }
    return columns.number(before: space)
  }

  private static func append(_ columns: [UInt8], to out: inout [UInt8]) {
    var sum = [UInt8](repeating: 0, count: 8)
    let crc = columns.withUnsafeBytes { cpipe_crc32c(0, $0.baseAddress, $0.count) }
    sum.withUnsafeMutableBufferPointer { writeHex(crc, to: $0.baseAddress!) }
    out += sum
    out += columns
    out.append(newline)
  }
}

extension FoldedLine {
  /// Without its newline.
  init?(_ text: UnsafeRawBufferPointer) {
    guard let rest = checked(text) else { return nil }
    var columns = Pieces(rest)
    guard let first = columns.number(before: space), let last = columns.number(before: space),
      first <= last, let tag = columns.next(before: space),
      let kind = columns.next(before: space).flatMap({ word in
        Recording.Kind.allCases.first { word.elementsEqual($0.rawValue.utf8) }
      }),
      let items = columns.number(before: space), let code = columns.remainder,
      let cells = CellCode.counts(code)
    else { return nil }
    self.init(
      first: Int64(first), last: Int64(last), tag: tagName(tag), kind: kind, items: items,
      cells: cells)
  }

  var recording: Recording {
    Recording(
      kind: kind, tag: tag, first: first, last: last, items: items,
      times: cells.map { (LatencyClass.highest(of: $0.index), $0.count) })
  }
}
