internal import CPipeIO
package import PipeTime

/// A line of a compacted file of stats/, which sums up many settled lines.
///
///     CRC32C FIRST LAST TAG KIND ITEMS HISTOGRAM
struct CompactedLine {
  /// When the first and the last of these lines were settled.
  let first: Instant
  let last: Instant
  let tag: String?
  let kind: Recording.Kind
  let items: Int
  /// Ascending.
  let cells: [(index: Int, count: Int)]

  func append(to out: inout [UInt8]) {
    var columns = Array(
      " \(first.microseconds) \(last.microseconds) \(tag ?? "-") \(kind.rawValue) \(items) ".utf8)
    HistogramCodec.append(cells, to: &columns)
    CompactedLine.append(columns, to: &out)
  }

  /// Appends the last line, which shows that a file was written to its end.
  static func appendEnd(lines: Int, to out: inout [UInt8]) {
    append(Array(" end \(lines)".utf8), to: &out)
  }

  /// The number of lines before this one if it is the last line, else nil.
  static func end(_ text: UnsafeRawBufferPointer) -> Int? {
    guard let rest = checked(text) else { return nil }
    var columns = FieldSplitter(rest)
    guard let word = columns.next(before: space), word.elementsEqual("end".utf8) else {
      return nil
    }
    return columns.number(before: space)
  }

  private static func append(_ columns: [UInt8], to out: inout [UInt8]) {
    let start = out.count
    out += [UInt8](repeating: 0, count: 8)
    out += columns
    out.fillChecksum(from: start)
    out.append(newline)
  }
}

extension CompactedLine {
  /// Parses a line without its newline.
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
      first: Instant(microseconds: first), last: Instant(microseconds: last), tag: tagName(tag),
      kind: kind, items: items,
      cells: cells)
  }

  var recording: Recording {
    Recording(
      kind: kind, tag: tag, first: first, last: last, items: items,
      times: cells.map { (HistogramBuckets.highest(of: $0.index), $0.count) })
  }
}

/// A time interval whose recordings are kept together; older intervals are longer.
struct Bucket: Hashable, Comparable {
  let start: Instant
  /// Zero for everything that is older than `retain`.
  let span: TimeSpan

  /// The bucket of a batch settled at `time`, seen at `now`. `retain`: how long times are kept.
  init(_ time: Instant, at now: Instant, retain: TimeSpan) {
    let age = now - time
    if age > retain {
      (start, span) = (.epoch, .zero)
      return
    }
    let seconds: Int64 =
      switch age.microseconds / 1_000_000 {
      case ..<600: 10
      case ..<7200: 60
      case ..<43_200: 600
      case ..<259_200: 3600
      default: 21_600
      }
    span = .seconds(seconds)
    start = time - .microseconds(time.microseconds % span.microseconds)
  }

  static func < (one: Bucket, other: Bucket) -> Bool {
    (one.start, one.span) < (other.start, other.span)
  }
}

/// Times of settled items or batches, of one kind and one tag.
package struct Recording {
  package enum Kind: String, CaseIterable {
    /// For each done item: accepted until claimed.
    case wait
    /// For each done item: claimed until settled.
    case service
    /// For each done item: accepted until settled.
    case total
    /// For each batch with done items: claimed until settled.
    case batches
    /// For each failed batch: claimed until settled.
    case retried, buried
  }

  package let kind: Kind
  package let tag: String?
  /// When the first and the last of them were settled.
  package let first: Instant
  package let last: Instant
  /// Midway between the two.
  package var middle: Instant { first + (last - first) / 2 }
  /// Items; for batches, the items in them.
  package let items: Int
  /// Microseconds, the longest time of each class of 3 significant digits, with its count.
  package let times: [(microseconds: Int, count: Int)]
}
