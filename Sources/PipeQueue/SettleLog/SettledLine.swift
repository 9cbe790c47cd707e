internal import CPipeIO
internal import PipeTime

/// A line of stats/log: items of one batch that were settled together with one outcome
/// (pipe-queue(5), STATS).
///
///     CRC32C TIME TAG OUTCOME SERVICE ITEMS WAITS
struct SettledLine {
  enum Outcome: String, CaseIterable {
    case done, retried, buried
  }

  /// When they were settled.
  var time: Instant
  /// nil: no tag was given.
  var tag: String?
  let outcome: Outcome
  /// From claimed until settled, microseconds.
  var service: Int
  var items: Int
  /// Time from accepted to claimed, each with the number of items; only for done items.
  var waits: [(microseconds: Int, count: Int)] = []

  /// The newline comes first, so that a torn line does not spoil the next one.
  func append(to out: inout [UInt8]) {
    let start = out.count
    out.append(newline)
    out.append(contentsOf: repeatElement(space, count: 9))
    appendDecimal(Int(time.microseconds), to: &out)
    out.append(space)
    out += (tag ?? "-").utf8
    out.append(space)
    out += outcome.rawValue.utf8
    out.append(space)
    appendDecimal(service, to: &out)
    out.append(space)
    appendDecimal(items, to: &out)
    out.append(space)
    for (position, wait) in waits.enumerated() {
      if position > 0 { out.append(SettledLine.comma) }
      appendDecimal(wait.microseconds, to: &out)
      if wait.count == 1 { continue }
      out.append(SettledLine.star)
      appendDecimal(wait.count, to: &out)
    }
    if waits.isEmpty { out.append(dash) }
    out.fillChecksum(from: start + 1)
  }

  private static let comma: UInt8 = 0x2c
  private static let star: UInt8 = 0x2a
}

extension SettledLine {
  /// Parses a line without its newline.
  init?(_ text: UnsafeRawBufferPointer) {
    guard let rest = checked(text) else { return nil }
    var columns = FieldSplitter(rest)
    guard let time = columns.number(before: space), let tag = columns.next(before: space),
      let word = columns.next(before: space),
      let outcome = Outcome.allCases.first(where: { word.elementsEqual($0.rawValue.utf8) }),
      let service = columns.number(before: space), let items = columns.number(before: space),
      let waits = columns.remainder
    else { return nil }
    self.init(
      time: Instant(microseconds: time), tag: tagName(tag), outcome: outcome, service: service,
      items: items)
    guard outcome == .done else { return }
    var list = FieldSplitter(waits)
    while let piece = list.next(before: SettledLine.comma) {
      var parts = FieldSplitter(piece)
      guard let wait = parts.number(before: SettledLine.star) else { return nil }
      self.waits.append((wait, parts.isAtEnd ? 1 : parts.number(before: space) ?? 0))
    }
    guard self.waits.reduce(0, { $0 &+ $1.count }) == items else { return nil }
  }
}

func tagName(_ column: UnsafeRawBufferPointer) -> String? {
  column.elementsEqual([dash]) ? nil : String(decoding: column, as: UTF8.self)
}
