internal import PipeIO

/// Goes along a range, taking items until it ends, the batch is full, or items are not where they should be.
struct Walk {
  let range: ItemRange
  private let selection: Selection
  private let passesGaps: Bool
  var place: Place
  let firstItem: Int
  private(set) var places: [Place] = []
  private var isStopped = false
  /// Whether it stopped because no line at its place holds the next item.
  private(set) var isBeforeGap = false
  /// Where damage began that no line has followed yet.
  private var damage: Place?

  /// `passesGaps`: items that no line holds are left out, and it goes on behind them.
  init(_ range: ItemRange, _ selection: Selection, passesGaps: Bool = false) {
    self.range = range
    self.selection = selection
    self.passesGaps = passesGaps
    place = range.from
    firstItem = selection.itemCount
  }

  var isAtEnd: Bool { place.number >= range.to.number }
  var isDone: Bool { isAtEnd || isStopped || isBeforeGap || selection.isFull }
  var hasTaken: Bool { !places.isEmpty }

  mutating func stop() { isStopped = true }

  mutating func stopAtGap() {
    isBeforeGap = true
    place = damage ?? place
  }

  /// The bytes at its place are no line.
  mutating func pass(damageUntil offset: Int) {
    damage = damage ?? place
    place.offset = offset
  }

  /// Takes items of the line at `place`.
  mutating func take(_ line: SegmentLine) {
    if line.number > place.number {
      guard passesGaps else { return stopAtGap() }
      place.number = min(line.number, range.to.number)
      if isAtEnd {
        place = range.to
        return
      }
    }
    damage = nil
    selection.begin(accepted: line.time)
    let first = place.number - line.number
    let stop = min(line.items, range.to.number - line.number)
    var index = first
    if line.isRecord {
      if index < stop { add(line, 0, line.data) }
      index = max(index, stop)
    } else if first < stop {
      var ids = ItemList(line.data, skipping: first)
      while index < stop, !selection.isFull {
        guard let item = ids.next() else {
          // It has fewer items than it says: the others are nowhere.
          place.number = line.number + index
          place.offset += line.length
          return
        }
        add(line, index, item)
        index += 1
      }
    }
    place.number = max(place.number, line.number + index)
    if index >= line.items { place.offset += line.length }
  }

  private mutating func add(_ line: SegmentLine, _ index: Int, _ data: UnsafeRawBufferPointer) {
    selection.add(data, of: line.id, index + 1, range.lane)
    var at = place
    at.number = line.number + index
    places.append(at)
  }

  /// The segment has no more lines: go on at the start of the next one.
  mutating func skipSegment(_ end: EndMark) {
    if place.segment < end.place.segment {
      place.segment += 1
      place.offset = 0
    } else if passesGaps {
      place = range.to
    } else {
      stopAtGap()
    }
  }
}
