internal import CPipeIO

/// A line of a folded file of stats/: what many settled lines come to.
///
///     CRC32C FIRST LAST TAG KIND ITEMS HISTOGRAM
struct CompactedLine {
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
    HistogramCodec.append(cells, to: &columns)
    CompactedLine.append(columns, to: &out)
  }

  /// The last line of a file that was written to its end.
  static func appendEnd(lines: Int, to out: inout [UInt8]) {
    append(Array(" end \(lines)".utf8), to: &out)
  }

  /// How many lines are before this one, if it is the last.
  static func end(_ text: UnsafeRawBufferPointer) -> Int? {
    guard let rest = checked(text) else { return nil }
    var columns = FieldSplitter(rest)
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

extension CompactedLine {
  /// Without its newline.
  init?(_ text: UnsafeRawBufferPointer) {
    guard let rest = checked(text) else { return nil }
    var columns = FieldSplitter(rest)
    guard let first = columns.number(before: space), let last = columns.number(before: space),
      first <= last, let tag = columns.next(before: space),
      let kind = columns.next(before: space).flatMap({ word in
        Recording.Kind.allCases.first { word.elementsEqual($0.rawValue.utf8) }
      }),
      let items = columns.number(before: space), let code = columns.remainder,
      let cells = HistogramCodec.counts(code)
    else { return nil }
    self.init(
      first: Int64(first), last: Int64(last), tag: tagName(tag), kind: kind, items: items,
      cells: cells)
  }

  var recording: Recording {
    Recording(
      kind: kind, tag: tag, first: first, last: last, items: items,
      times: cells.map { (HistogramBuckets.highest(of: $0.index), $0.count) })
  }
}

/// An interval of time whose recordings are kept together: the longer ago, the longer it is.
struct Bucket: Hashable, Comparable {
  /// Microseconds since the epoch.
  let start: Int64
  /// Microseconds; 0 for all that is older than what is kept by time.
  let span: Int64

  private static let second: Int64 = 1_000_000

  /// What was settled at `time`, seen at `now`. `retain`: microseconds for which times matter.
  init(_ time: Int64, at now: Int64, retain: Int64) {
    let age = now &- time
    if age > retain {
      (start, span) = (0, 0)
      return
    }
    let seconds: Int64 =
      switch age / Bucket.second {
      case ..<600: 10
      case ..<7200: 60
      case ..<43_200: 600
      case ..<259_200: 3600
      default: 21_600
      }
    span = seconds * Bucket.second
    start = time - time % span
  }

  static func < (one: Bucket, other: Bucket) -> Bool {
    (one.start, one.span) < (other.start, other.span)
  }
}

/// Times of some of what was settled, of one kind and one tag.
package struct Recording {
  package enum Kind: String, CaseIterable {
    /// Of each item that is done: accepted until claimed.
    case wait
    /// Of each item that is done: claimed until settled.
    case service
    /// Of each item that is done: accepted until settled.
    case total
    /// Of each batch, the items of which are done: claimed until settled.
    case batches
    /// Of each batch that failed: claimed until settled.
    case retried, buried
  }

  package let kind: Kind
  package let tag: String?
  /// When the first and the last of them was settled, microseconds since the epoch.
  package let first: Int64
  package let last: Int64
  /// Between the two.
  package var middle: Int64 { first + (last - first) / 2 }
  /// Of batches, those that are in them.
  package let items: Int
  /// Microseconds, each the longest of a class of 3 significant digits.
  package let times: [(microseconds: Int, count: Int)]
}
