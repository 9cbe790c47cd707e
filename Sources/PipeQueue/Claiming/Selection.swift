internal import Glibc
internal import PipeIO

/// A batch while it is put together.
final class Selection {
  struct Planned {
    let claim: NowName
    let replacing: NowName?
    let items: Range<Int>
    let places: [Place]
  }

  let batch: EntryID
  private let owner: Int
  let size: Int
  let byteLimit: Int
  private(set) var parts: [Planned] = []
  fileprivate var items: [Item] = []
  fileprivate var bytes: [UInt8] = []
  private var attempt = 0

  init(batch: EntryID, owner: Int, size: Int, byteLimit: Int) {
    self.batch = batch
    self.owner = owner
    self.size = size
    self.byteLimit = byteLimit
  }

  var isFull: Bool { items.count >= size || bytes.count >= byteLimit }

  /// `walk.place` is how far it came: the range ends there.
  func add(_ walk: Walk, attempt: Int, replacing name: NowName?) {
    var range = walk.range
    range.to = walk.place
    guard range.count > 0 || walk.isAtEnd && name != nil else { return }
    let claim = NowName(range, .claim(batch: batch, attempt: attempt, owner: owner))
    parts.append(
      Planned(
        claim: claim, replacing: name, items: walk.firstItem..<items.count, places: walk.places))
    self.attempt = max(self.attempt, attempt)
  }

  func claim() -> Claim {
    Claim(
      batch: batch, attempt: attempt, items: items, bytes: bytes,
      parts: parts.map { Part(name: $0.claim, items: $0.items, places: $0.places) })
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

  init(_ range: ItemRange, _ selection: Selection) {
    self.range = range
    self.selection = selection
    place = range.from
    firstItem = selection.items.count
  }

  var isAtEnd: Bool { place.number >= range.to.number }
  var isDone: Bool { isAtEnd || selection.isFull }

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
