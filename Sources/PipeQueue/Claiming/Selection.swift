internal import Glibc
internal import PipeIO

/// A batch while it is put together: the longest run of what is ready, in order, that may come together.
/// What was never tried comes together; what failed comes back with the items it failed with, and one by
/// one for its last attempt, so that only what is bad is buried.
final class Selection {
  struct Planned {
    var claim: NowName
    let replacing: NowName?
    let items: Range<Int>
    let places: [Place]
  }

  let now: Int64
  private let size: Int
  private let byteLimit: Int
  private let retries: Int
  private(set) var parts: [Planned] = []
  /// Names for entries that were passed over because their time has not come.
  private(set) var delays: [NowName] = []
  private var kind: EntryID?
  private var isSingle = false
  private var isClosed = false
  fileprivate var items: [Item] = []
  fileprivate var bytes: [UInt8] = []
  private var attempt = 0
  private var batch = Selection.unnamed

  private static let unnamed = EntryID(high: 0, low: 0)
  /// More delays at once would hold the lock for long.
  private static let mostDelays = 64

  /// `retries`: the settings'.
  init(size: Int, byteLimit: Int, now: Int64, retries: Int) {
    self.size = size
    self.byteLimit = byteLimit
    self.now = now
    self.retries = retries
  }

  var isFull: Bool {
    isClosed || items.count >= (isSingle ? 1 : size) || bytes.count >= byteLimit
      || delays.count >= Selection.mostDelays
  }

  var itemCount: Int { items.count }

  /// Nothing behind it may come with this batch: it would overtake.
  func close() { isClosed = true }

  func accepts(_ offer: Offer) -> Bool {
    let attempts = offer.name?.attempt ?? 0
    let kind = attempts > 0 ? offer.name?.batch : nil
    let isLast = attempts > 0 && attempts >= retries
    // Items of one batch may differ: what was given back has an attempt less.
    if !parts.isEmpty { return kind == self.kind && !isSingle && !isLast }
    self.kind = kind
    isSingle = isLast
    return true
  }

  /// `walk.place` is how far it came: the range ends there.
  func add(_ walk: Walk, replacing name: NowName?) {
    var range = walk.range
    range.to = walk.place
    guard range.count > 0 || walk.isAtEnd && name != nil else { return }
    let attempt = (name?.attempt ?? 0) + 1
    parts.append(
      Planned(
        claim: NowName(range, .claim(batch: batch, attempt: attempt, owner: 0)), replacing: name,
        items: walk.firstItem..<items.count, places: walk.places))
    self.attempt = max(self.attempt, attempt)
  }

  func delay(_ range: ItemRange, until due: Due) {
    delays.append(NowName(range, .again(batch: .delayed, attempt: 0, due: due)))
  }

  func name(_ batch: EntryID, owner: Int) {
    self.batch = batch
    for index in parts.indices {
      let attempt = parts[index].claim.attempt!
      parts[index].claim.state = .claim(batch: batch, attempt: attempt, owner: owner)
    }
  }

  func claim() -> Claim {
    Claim(
      batch: batch, attempt: attempt, items: items, bytes: bytes,
      parts: parts.map { Part(name: $0.claim, items: $0.items, places: $0.places) })
  }

  /// Of names that are claims already.
  func claim(_ batch: EntryID, _ names: [NowName]) -> Claim {
    let parts = zip(names, parts).map { Part(name: $0, items: $1.items, places: $1.places) }
    return Claim(
      batch: batch, attempt: names.compactMap(\.attempt).max() ?? 0, items: items, bytes: bytes,
      parts: parts)
  }
}

/// Goes along a range, taking items until it ends or the batch is full.
struct Walk {
  let range: ItemRange
  private let selection: Selection
  var place: Place
  let firstItem: Int
  private(set) var places: [Place] = []
  /// Items that should have been on the way and were not.
  private(set) var lost = 0
  private var isStopped = false

  init(_ range: ItemRange, _ selection: Selection) {
    self.range = range
    self.selection = selection
    place = range.from
    firstItem = selection.items.count
  }

  var isAtEnd: Bool { place.number >= range.to.number }
  var isDone: Bool { isAtEnd || isStopped || selection.isFull }

  mutating func stop() { isStopped = true }

  /// Takes items of the line at `place`.
  mutating func take(_ line: SegmentLine) {
    // Numbers between belonged to damaged lines: they are passed over, and settled with the rest.
    if line.number > place.number {
      let next = min(line.number, range.to.number)
      lost += next - place.number
      place.number = next
      if isAtEnd {
        place = range.to
        return
      }
    }
    let first = place.number - line.number
    let stop = min(line.items, range.to.number - line.number)
    var index = first
    if line.isRecord {
      if index < stop { add(line, 0, line.data) }
      index = max(index, stop)
    } else if first < stop {
      var ids = ItemList(line.data, skipping: first)
      while index < stop, !selection.isFull, let item = ids.next() {
        add(line, index, item)
        index += 1
      }
    }
    place.number = max(place.number, line.number + index)
    if index >= line.items { place.offset += line.length }
  }

  private mutating func add(_ line: SegmentLine, _ index: Int, _ data: UnsafeRawBufferPointer) {
    let start = selection.bytes.count
    selection.bytes.append(contentsOf: data)
    selection.bytes.append(newline)
    selection.items.append(
      Item(
        entry: line.id, index: index + 1, priority: range.lane, data: start..<(start + data.count)))
    var at = place
    at.number = line.number + index
    places.append(at)
  }

  /// The segment has no more lines, or is gone: go on at the start of the next one, or at the end.
  mutating func skipSegment(_ end: EndMark) {
    if place.segment < end.place.segment {
      place.segment += 1
      place.offset = 0
    } else {
      lost += range.to.number - place.number
      place = range.to
    }
  }
}

/// The items of an id request's compact list, `[1,2,3]`.
struct ItemList {
  private var rest: UnsafeRawBufferPointer

  init(_ list: UnsafeRawBufferPointer, skipping count: Int) {
    rest = list.count > 2 ? cut(list, 1, list.count - 1) : cut(list, 0, 0)
    for _ in 0..<count { _ = next() }
  }

  mutating func next() -> UnsafeRawBufferPointer? {
    guard !rest.isEmpty else { return nil }
    let comma = memchr(rest.baseAddress!, 0x2c, rest.count)
    let end = comma.map { UnsafeRawPointer($0) - rest.baseAddress! } ?? rest.count
    let item = cut(rest, 0, end)
    rest = end < rest.count ? cut(rest, end + 1, rest.count) : cut(rest, 0, 0)
    return item
  }
}
