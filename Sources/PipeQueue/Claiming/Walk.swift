internal import PipeIO

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
    firstItem = selection.itemCount
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
    selection.begin(accepted: line.time)
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
    selection.add(data, of: line.id, index + 1, range.lane)
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
