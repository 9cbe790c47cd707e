internal import PipeIO
internal import PipeTime

// Scans ranges of items and reads the items from the segments.
extension Claimer {
  /// Adds the items of a ready range to the selection. Items read before a fault stay in it.
  func collect(_ offer: ReadyRange, into selection: Selection, end: LaneEnd) throws(Fault) {
    guard selection.accepts(offer) else {
      // Delayed entries do not block the items after them.
      if offer.name == nil, try passOver(offer.range, into: selection, end) >= offer.range.to {
        return
      }
      return selection.close()
    }
    guard let name = offer.name else {
      return try collectUntried(offer.range, into: selection, end)
    }
    var range = offer.range
    var scan = try collect(range, name, into: selection, end)
    if scan.isBeforeGap, !scan.hasTaken {
      let gap = try gap(before: range, end)
      range.from = gap.range.to
      if gap.range.count > 0 {
        guard gap.missing == nil else { return }
        return selection.lose(gap.range, of: name)
      }
      scan = try collect(range, name, into: selection, end)
    }
    // The items after the gap come first in the next selection.
    if scan.isBeforeGap { selection.close() }
  }

  /// Passes over the delayed entries and the early letters at the start of a range. Returns the position after them.
  private func passOver(
    _ range: ItemRange, into selection: Selection, _ end: LaneEnd
  ) throws(Fault) -> Position {
    var rest = range
    while let front = try front(of: &rest, selection) {
      rest.from = try delay(front, into: selection, end)
      if rest.from.number < front.to.number { break }
    }
    return rest.from
  }

  private func collectUntried(
    _ range: ItemRange, into selection: Selection, _ end: LaneEnd
  ) throws(Fault) {
    var rest = range
    while !selection.isFull, let front = try front(of: &rest, selection) {
      let reached = try collectFront(front, of: rest, into: selection, end)
      guard reached.number > rest.from.number else { return }
      rest.from = reached
      guard reached.number >= front.to.number else { return }
    }
  }

  // Returns the position behind what it has read. `range` is the front of `whole`, and may end within an entry
  // or a gap.
  private func collectFront(
    _ range: ItemRange, of whole: ItemRange, into selection: Selection, _ end: LaneEnd
  ) throws(Fault) -> Position {
    var rest = range
    while rest.from.number < range.to.number, !selection.isFull {
      let scan = try collect(rest, nil, into: selection, end)
      rest.from = scan.position
      guard !selection.isFull, rest.from.number < range.to.number else { return rest.from }
      if scan.isBeforeGap {
        var gap = try gap(
          before: ItemRange(lane: range.lane, from: rest.from, to: whole.to), end)
        if gap.range.to.number > range.to.number {
          // The next items are in the gap as well: they are searched for from its start.
          gap.range.to = rest.from
          gap.range.to.number = range.to.number
        }
        if gap.range.count > 0, gap.missing == nil { selection.lose(gap.range, of: nil) }
        rest.from = gap.range.to
      } else {
        // The scan may have stopped at a delayed entry.
        let reached = try delay(rest, into: selection, end)
        if reached.number == rest.from.number { return reached }
        rest.from = reached
      }
    }
    return rest.from
  }

  private func collect(
    _ range: ItemRange, _ name: NowName?, into selection: Selection, _ end: LaneEnd
  ) throws(Fault) -> RangeScan {
    var scan = RangeScan(range, selection)
    do throws(Fault) {
      while !scan.isDone {
        switch try step(range.lane, scan.position, end) {
        case .line(let line):
          if name == nil, line.isDelayed(at: selection.now) {
            // Items that no line holds come first.
            if line.number > scan.position.number { scan.stopAtGap() } else { scan.stop() }
          } else if let limit = selection.acceptedBy, line.accepted(at: selection.now) > limit {
            scan.stop()
            selection.close()
          } else {
            scan.take(line)
          }
        case .damaged(let until): scan.pass(damageUntil: until)
        case .end: scan.skipSegment(end)
        case nil: scan.stopAtGap()
        }
      }
    } catch {
      selection.add(scan, replacing: name)
      throw error
    }
    selection.add(scan, replacing: name)
    return scan
  }

  /// The first items of a range that no line holds, up to the next item that a line holds. Empty if
  /// a later line holds the first item. `missing`: the first segment on the way that does not
  /// exist.
  private func gap(
    before range: ItemRange, _ end: LaneEnd
  ) throws(Fault) -> (range: ItemRange, missing: Int?) {
    var at = range.from
    var missing: Int?
    search: while at.segment <= end.position.segment {
      switch try step(range.lane, at, end) {
      case .line(let line):
        if line.number + line.items > range.from.number {
          at.number = max(range.from.number, line.number)
          break search
        }
        at.offset += line.length
      case .damaged(let until): at.offset = until
      case .end: (at.segment, at.offset) = (at.segment + 1, 0)
      case nil:
        missing = missing ?? at.segment
        (at.segment, at.offset) = (at.segment + 1, 0)
      }
    }
    let isInside = at.segment <= end.position.segment && at.number < range.to.number
    let gap = ItemRange(lane: range.lane, from: range.from, to: isInside ? at : range.to)
    if let missing, gap.count > 0 { noteMissing(range.lane, missing) }
    return (gap, missing)
  }

  /// Passes over entries whose delay is not over. One name covers many of them until the first is
  /// due; then they are examined again. Entries that would wait too long because the clock was set
  /// back are named apart from others: their name alone decides. Returns the position after them.
  private func delay(
    _ range: ItemRange, into selection: Selection, _ end: LaneEnd
  ) throws(Fault) -> Position {
    var at = range.from
    var first: ReadyTime?
    var corrected: ReadyTime?
    var count = 0
    while at < range.to, count < Claimer.mostDelayed {
      guard case .line(let line) = try step(range.lane, at, end), line.isDelayed(at: selection.now),
        line.number <= at.number, let due = line.due
      else { break }
      let right = due.corrected(at: selection.now)
      if count == 0 { corrected = right }
      if right != corrected { break }
      if first.map({ due.at < $0.at }) ?? true { first = due }
      count += 1
      at.number = min(range.to.number, line.number + line.items)
      // A front may end within an entry.
      if at.number == line.number + line.items { at.offset += line.length }
    }
    if let first {
      var delayed = range
      delayed.to = at
      selection.delay(
        delayed, corrected == nil ? .delayed : .revived, until: corrected ?? first)
    }
    return at
  }

  /// Entries under one name: all are read again when the first of them is due.
  private static let mostDelayed = 1024

  /// What is at a position; nil if its segment is missing. Damage is quarantined.
  func step(
    _ lane: Lane, _ position: Position, _ end: LaneEnd
  ) throws(Fault) -> SegmentReader.Reading? {
    guard let reader = try reader(lane, position.segment) else { return nil }
    let isLast = position.segment == end.position.segment
    let limit = isLast ? end.position.offset : try reader.finalSize()
    let reading = try reader.line(at: position.offset, limit: limit)
    if case .damaged(let until) = reading {
      try queue.quarantine(lane, position.segment, position.offset..<until)
    }
    return reading
  }

  /// The claim of these names, read again. Items whose lines were damaged since the claim are left
  /// out.
  func claim(_ batch: BatchID, _ names: [NowName], _ ends: LaneEnds) throws(Fault) -> Claim {
    let selection = Selection(size: .max, byteLimit: .max, now: wall(), retries: .max)
    for name in names {
      var scan = RangeScan(name.range, selection, passesGaps: true)
      let end = ends[name.range.lane]
      while !scan.isDone {
        switch try step(name.range.lane, scan.position, end) {
        case .line(let line): scan.take(line)
        case .damaged(let until): scan.pass(damageUntil: until)
        case .end: scan.skipSegment(end)
        case nil: throw missing(name.range.lane, scan.position.segment)
        }
      }
      selection.add(scan, replacing: name)
    }
    return selection.claim(batch, names)
  }

  func missing(_ lane: Lane, _ segment: Int) -> Fault {
    Fault(
      .inputOutput,
      "\(printable(queue.path))/\(Segment.path(lane, segment)): is missing; restore it,"
        + " or give up its items with pipe fsck --repair")
  }
}

/// Scans a range and takes its items until the range ends, the batch is full, or an item is not
/// where it should be.
struct RangeScan {
  let range: ItemRange
  private let selection: Selection
  private let passesGaps: Bool
  var position: Position
  let firstItem: Int
  private(set) var places: [Position] = []
  private var isStopped = false
  /// Whether it stopped because no line at its position holds the next item.
  private(set) var isBeforeGap = false
  /// Where the current damage began; nil after an intact line.
  private var damage: Position?

  /// `passesGaps`: leaves out items that no line holds and continues after them.
  init(_ range: ItemRange, _ selection: Selection, passesGaps: Bool = false) {
    self.range = range
    self.selection = selection
    self.passesGaps = passesGaps
    position = range.from
    firstItem = selection.itemCount
  }

  var isAtEnd: Bool { position.number >= range.to.number }
  var isDone: Bool { isAtEnd || isStopped || isBeforeGap || selection.isFull }
  var hasTaken: Bool { !places.isEmpty }

  mutating func stop() { isStopped = true }

  mutating func stopAtGap() {
    isBeforeGap = true
    position = damage ?? position
  }

  /// The bytes at its position are not a line.
  mutating func pass(damageUntil offset: Int) {
    damage = damage ?? position
    position.offset = offset
  }

  /// Takes items from the line at its position.
  mutating func take(_ line: SegmentLine) {
    if line.number > position.number {
      guard passesGaps else { return stopAtGap() }
      position.number = min(line.number, range.to.number)
      if isAtEnd {
        position = range.to
        return
      }
    }
    damage = nil
    selection.begin(accepted: line.time)
    // Once for all items of the line.
    let traits = (isJob: line.isJob, isDelayed: line.isDelayed(at: selection.now))
    let first = position.number - line.number
    let stop = min(line.items, range.to.number - line.number)
    var index = first
    if line.isRecord {
      if index < stop { add(line, 0, line.data, traits) }
      index = max(index, stop)
    } else if first < stop {
      var ids = ItemList(line.data, skipping: first)
      while index < stop, !selection.isFull {
        guard let item = ids.next() else {
          // The line holds fewer items than it says: the others do not exist.
          position.number = line.number + index
          position.offset += line.length
          return
        }
        add(line, index, item, traits)
        index += 1
      }
    }
    position.number = max(position.number, line.number + index)
    if index >= line.items { position.offset += line.length }
  }

  private mutating func add(
    _ line: SegmentLine, _ index: Int, _ data: UnsafeRawBufferPointer,
    _ traits: (isJob: Bool, isDelayed: Bool)
  ) {
    selection.add(
      data, of: line.id, index + 1, range.lane, isJob: traits.isJob, isDelayed: traits.isDelayed)
    var at = position
    at.number = line.number + index
    places.append(at)
  }

  /// The segment has no more lines: continues at the start of the next one.
  mutating func skipSegment(_ end: LaneEnd) {
    if position.segment < end.position.segment {
      position.segment += 1
      position.offset = 0
    } else if passesGaps {
      position = range.to
    } else {
      stopAtGap()
    }
  }
}
