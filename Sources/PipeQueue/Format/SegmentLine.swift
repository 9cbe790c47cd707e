internal import CPipeIO
internal import Glibc
internal import PipeTime

/// A line of a segment (pipe-queue(5), SEGMENTS): columns of fixed width, then columns of varying
/// width, all separated by one space.
///
///     CRC32C   TIME             NUMBER          ID                      ITEMS CREATED OPTIONS DATA
///     0        9                26              42                      69
struct SegmentLine {
  /// When the line was accepted; it never decreases within a lane.
  let time: Instant
  /// Number of the entry's first item.
  let number: Int
  let id: EntryID
  let items: Int
  /// Items per slice; 0 for a record, whose only item is DATA itself.
  let slice: Int
  /// When `pipe ingest` read the entry; nil if that is `time`.
  let created: Instant?
  let options: UnsafeRawBufferPointer?
  let data: UnsafeRawBufferPointer
  /// Bytes of the line, including its newline.
  let length: Int

  static let crcEnd = 8
  static let timeStart = 9
  static let numberStart = 26
  static let idStart = 42
  static let itemsStart = 69
  static let timeWidth = 16
  static let numberWidth = 15

  var isRecord: Bool { slice == 0 }

  /// The best known time of arrival: the time of a line may run ahead of a clock that was set back.
  var firstSeen: Instant { created ?? min(time, id.time + .milliseconds(1)) }

  /// `text` is a line without its newline. nil unless each column is well formed; the checksum is
  /// checked separately.
  @inline(__always)
  init?(_ text: UnsafeRawBufferPointer) {
    guard text.count > SegmentLine.itemsStart, text[8] == space, text[25] == space,
      text[41] == space, text[68] == space,
      let time = padded(cut(text, 9, 25)), let number = padded(cut(text, 26, 41)),
      let id = EntryID(cut(text, 42, 68))
    else { return nil }
    var at = SegmentLine.itemsStart
    guard let items = Self.number(text, &at) else { return nil }
    var slice = 0
    if at < text.count, text[at] == 0x2f {
      at += 1
      guard let per = Self.number(text, &at), per > 0 else { return nil }
      slice = per
    }
    guard items > 0, items <= text.count, items == 1 || slice > 0, Self.skipSpace(text, &at) else {
      return nil
    }
    guard at < text.count else { return nil }
    if text[at] == dash {
      created = nil
      at += 1
    } else {
      guard let value = Self.number(text, &at) else { return nil }
      created = Instant(microseconds: value)
    }
    guard Self.skipSpace(text, &at), at < text.count else { return nil }
    if text[at] == dash {
      options = nil
      at += 1
    } else {
      let start = at
      while at < text.count, text[at] != space { at += 1 }
      options = UnsafeRawBufferPointer(rebasing: text[start..<at])
    }
    guard Self.skipSpace(text, &at), at < text.count else { return nil }
    self.time = Instant(microseconds: time)
    self.number = number
    self.id = id
    self.items = items
    self.slice = slice
    data = UnsafeRawBufferPointer(rebasing: text[at...])
    length = text.count + 1
  }

  @inline(__always)
  private static func number(_ text: UnsafeRawBufferPointer, _ at: inout Int) -> Int? {
    let start = at
    var value = 0
    while at < text.count, text[at] &- 0x30 < 10 {
      value = value &* 10 &+ Int(text[at] &- 0x30)
      at &+= 1
    }
    return at > start && at - start < 19 ? value : nil
  }

  @inline(__always)
  private static func skipSpace(_ text: UnsafeRawBufferPointer, _ at: inout Int) -> Bool {
    guard at < text.count, text[at] == space else { return false }
    at &+= 1
    return true
  }

  /// Whether these bytes have spaces where the fixed columns of a line end.
  @inline(__always)
  static func mayBegin(_ text: UnsafeRawBufferPointer) -> Bool {
    text.count > itemsStart && text[crcEnd] == space && text[numberStart - 1] == space
      && text[idStart - 1] == space && text[itemsStart - 1] == space
  }

  /// Whether the first column is the checksum of this line at this position.
  @inline(__always)
  static func isIntact(
    _ text: UnsafeRawBufferPointer, _ lane: Lane, _ segment: Int, _ offset: Int
  ) -> Bool {
    guard text.count > crcEnd else { return false }
    let stored = UInt64(littleEndian: text.loadUnaligned(as: UInt64.self))
    return stored == hexDigits(checksum(text, lane, segment, offset))
  }

  @inline(__always)
  static func checksum(
    _ text: UnsafeRawBufferPointer, _ lane: Lane, _ segment: Int, _ offset: Int
  ) -> UInt32 {
    cpipe_crc32c(
      Segment.seed(lane, segment, offset), text.baseAddress! + crcEnd, text.count - crcEnd)
  }
}

/// Iterates over the items of an id request's compact list, `[1,2,3]`.
struct ItemList {
  private var rest: UnsafeRawBufferPointer

  init(_ list: UnsafeRawBufferPointer, skipping count: Int) {
    rest = list.count > 2 ? cut(list, 1, list.count - 1) : cut(list, 0, 0)
    for _ in 0..<count { _ = next() }
  }

  /// Bytes of the list that are left.
  var left: Int { rest.count }

  mutating func next() -> UnsafeRawBufferPointer? {
    guard !rest.isEmpty else { return nil }
    let comma = memchr(rest.baseAddress!, 0x2c, rest.count)
    let end = comma.map { UnsafeRawPointer($0) - rest.baseAddress! } ?? rest.count
    let item = cut(rest, 0, end)
    rest = end < rest.count ? cut(rest, end + 1, rest.count) : cut(rest, 0, 0)
    return item
  }
}

/// How far a list was read: the number of the next item, and the bytes left.
struct ItemCursor {
  let id: EntryID
  let number: Int
  let rest: Int
}

extension SegmentLine {
  var isJob: Bool { options.map { LineOptions($0).isJob } ?? false }

  /// When the items become ready; nil for at once.
  var due: ReadyTime? { notBefore.map { ReadyTime(at: $0, span: delay ?? .zero) } }

  func isDelayed(at now: Instant) -> Bool { due.map { !$0.isOver(at: now) } ?? false }
}

extension NowName.State {
  /// As `ItemState.wait`. One name covers many delayed entries until the first of them is due, so their own lines
  /// decide.
  func wait(_ line: SegmentLine) -> (due: ReadyTime?, attempts: Int)? {
    guard case .again(let batch, let attempts, let due) = self else { return nil }
    return (batch == .delayed ? line.due : due, attempts)
  }
}

/// Names and sizes of the files that hold a lane's lines.
enum Segment {
  static let first = 1
  /// Bytes. A commit that finds this much in a segment begins the next one.
  static let rollSize = 8 << 20
  /// Bytes. What `punch` frees begins and ends at a multiple of it.
  static let page = 4096

  /// Relative to the queue: `segments/HIGH/000/000017`, 1,000 to a directory.
  static func path(_ lane: Lane, _ number: Int) -> String {
    "segments/\(lane.name)/\(group(number))/\(name(number))"
  }

  static func isFirstOfGroup(_ number: Int) -> Bool { number % 1000 == 0 }

  static func group(_ number: Int) -> String { zeros(number / 1000, 3) }
  static func name(_ number: Int) -> String { zeros(number, 6) }

  private static func zeros(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  /// Seed of every checksum in a segment. It makes a line valid only at its own position: a line
  /// that a stale disk block or a copied file shows elsewhere fails the check.
  static func seed(_ lane: Lane, _ segment: Int, _ offset: Int) -> UInt32 {
    var position = (UInt64(lane.rawValue) << 56 | UInt64(segment), UInt64(offset))
    return withUnsafeBytes(of: &position) { cpipe_crc32c(0, $0.baseAddress, $0.count) }
  }
}
