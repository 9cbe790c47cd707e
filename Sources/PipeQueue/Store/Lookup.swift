internal import PipeIO
internal import PipeTime

/// Finds lines by the time at which they were stored, and entries by the time in their ids, in a
/// number of steps that grows with the logarithm of the size of the queue.
struct Lookup {
  private let queue: Queue

  init(_ queue: Queue) { self.queue = queue }

  struct Found {
    let lane: Lane
    let offset: Int
    let reader: SegmentReader

    func isSame(_ other: Found) -> Bool {
      lane == other.lane && offset == other.offset && reader.segment == other.reader.segment
    }
  }

  /// The entry with this id, if it is before the ends.
  func find(_ id: EntryID, _ ends: LaneEnds) throws(Fault) -> Found? {
    for lane in Lane.allCases {
      if let found = try find(id, lane, ends[lane], all: false).first { return found }
    }
    return try findOutOfOrder(id, ends).first
  }

  /// Every line with this id: the entry, and the copies that `change --priority` stored.
  func findAll(_ id: EntryID, _ ends: LaneEnds) throws(Fault) -> [Found] {
    var all: [Found] = []
    for lane in Lane.allCases { all += try find(id, lane, ends[lane], all: true) }
    for found in try findOutOfOrder(id, ends) where !all.contains(where: found.isSame) {
      all.append(found)
    }
    return all
  }

  /// The line with this id that was stored last, if that was after `found`.
  func findAgain(_ id: EntryID, _ ends: LaneEnds, after found: Found) throws(Fault) -> Found? {
    var last = found
    guard var time = try time(of: found) else { return nil }
    for other in try findAll(id, ends) {
      if let its = try self.time(of: other), its > time { (last, time) = (other, its) }
    }
    return last.isSame(found) ? nil : last
  }

  private func time(of found: Found) throws(Fault) -> Instant? {
    guard case .line(let line) = try found.reader.line(at: found.offset, limit: .max) else {
      return nil
    }
    return line.time
  }

  // The lines with this id in the runs of ids that do not ascend.
  private func findOutOfOrder(_ id: EntryID, _ ends: LaneEnds) throws(Fault) -> [Found] {
    var all: [Found] = []
    for run in try queue.strayRuns(id, id) {
      guard let reader = try reader(run.lane, run.segment) else { continue }
      let limit = min(run.bytes.upperBound, try limit(reader, ends[run.lane]))
      if let found = try find(id, reader, run.bytes.lowerBound, limit) { all.append(found) }
    }
    return all
  }

  // Searches commit by commit: the ids of a commit ascend, unless strays/ lists them. `all`: also copies of the
  // entry, which may be in the lane that it was moved from.
  private func find(
    _ id: EntryID, _ lane: Lane, _ laneEnd: LaneEnd, all: Bool
  ) throws(Fault) -> [Found] {
    let time = id.time
    guard laneEnd.time >= time else { return [] }
    var every: [Found] = []
    var segment = try firstSegment(lane, time, laneEnd)
    while segment <= laneEnd.position.segment {
      if let reader = try reader(lane, segment) {
        let limit = try limit(reader, laneEnd)
        var start = try lowerBound(reader, time, limit: limit)
        while let first = try firstLine(reader, from: start, limit: limit) {
          let commit = first.line.time
          if OutOfOrderLog.isStray(id, time: commit) { return every }
          let mayHave = first.line.id <= id
          let end = try partitionPoint(reader, first.offset, limit) { $0.time <= commit }
          if mayHave, let found = try find(id, reader, first.offset, end) {
            every.append(found)
            if !all { return every }
          }
          start = end
        }
      }
      segment += 1
    }
    return every
  }

  // Searches lines whose ids ascend.
  private func find(
    _ id: EntryID, _ reader: SegmentReader, _ start: Int, _ limit: Int
  ) throws(Fault) -> Found? {
    let offset = try partitionPoint(reader, start, limit) { $0.id < id }
    guard let found = try firstLine(reader, from: offset, limit: limit), found.line.id == id else {
      return nil
    }
    return Found(lane: reader.lane, offset: found.offset, reader: reader)
  }

  typealias Visit = (_ line: SegmentLine, _ offset: Int, _ reader: SegmentReader) -> Bool

  /// Visits the lines of a lane that were stored at `time` or later, in order, until `visit`
  /// returns false. Returns whether it reached the end.
  @discardableResult
  func lines(
    _ lane: Lane, from time: Instant, upTo laneEnd: LaneEnd, _ visit: Visit
  ) throws(Fault) -> Bool {
    guard laneEnd.time >= time else { return true }
    return try lines(lane, at: try position(lane, from: time, laneEnd), upTo: laneEnd, visit)
  }

  /// Where the first line stored at `time` or later is, or will be. Its number is not meaningful.
  func position(_ lane: Lane, from time: Instant, _ laneEnd: LaneEnd) throws(Fault) -> Position {
    guard laneEnd.time >= time else { return laneEnd.position }
    let segment = try firstSegment(lane, time, laneEnd)
    var position = Position(number: 0, segment: segment, offset: 0)
    if let reader = try reader(lane, segment) {
      position.offset = try lowerBound(reader, time, limit: try limit(reader, laneEnd))
    }
    return position
  }

  /// Position of an item; nil if no line holds it.
  func position(_ lane: Lane, of number: Int, _ laneEnd: LaneEnd) throws(Fault) -> Position? {
    var (low, high) = (
      try queue.segmentNumbers(lane).first ?? Segment.first, laneEnd.position.segment
    )
    while low < high {
      let middle = (low + high + 1) / 2
      if let first = try firstNumber(lane, middle, laneEnd), first > number {
        high = middle - 1
      } else {
        low = middle
      }
    }
    guard let reader = try reader(lane, low) else { return nil }
    let limit = try limit(reader, laneEnd)
    let offset = try partitionPoint(reader, 0, limit) { $0.number + $0.items <= number }
    guard let found = try firstLine(reader, from: offset, limit: limit),
      found.line.number <= number
    else { return nil }
    return Position(number: number, segment: low, offset: found.offset)
  }

  // A segment that is gone or has no line yet sorts after all others.
  private func firstNumber(_ lane: Lane, _ segment: Int, _ laneEnd: LaneEnd) throws(Fault) -> Int? {
    guard let reader = try reader(lane, segment) else { return .max }
    return try firstLine(reader, from: 0, limit: try limit(reader, laneEnd))?.line.number ?? .max
  }

  /// Visits the lines of a lane from a position that is the start of a line, until `visit` returns
  /// false. Returns whether it reached the end.
  func lines(
    _ lane: Lane, at position: Position, upTo laneEnd: LaneEnd, _ visit: Visit
  ) throws(Fault) -> Bool {
    var (segment, offset) = (position.segment, position.offset)
    while segment <= laneEnd.position.segment {
      if let reader = try reader(lane, segment) {
        let limit = try limit(reader, laneEnd)
        if offset < limit, try !visitAll(reader, offset..<limit, visit) { return false }
      }
      (segment, offset) = (segment + 1, 0)
    }
    return true
  }

  func lines(of run: OutOfOrderRun, upTo laneEnd: LaneEnd, _ visit: Visit) throws(Fault) {
    guard run.segment <= laneEnd.position.segment, let reader = try reader(run.lane, run.segment)
    else {
      return
    }
    let limit = min(run.bytes.upperBound, try limit(reader, laneEnd))
    guard run.bytes.lowerBound < limit else { return }
    _ = try visitAll(reader, run.bytes.lowerBound..<limit, visit)
  }

  /// Visits the damaged stretches of a lane, except what `punch` left, between the lines stored at `time` and at `last`, until
  /// `visit` returns false.
  func damage(
    _ lane: Lane, from time: Instant, until last: Instant, _ laneEnd: LaneEnd,
    _ visit: (_ reader: SegmentReader, _ bytes: Range<Int>) throws(Fault) -> Bool
  ) throws(Fault) {
    var segment = try firstSegment(lane, time, laneEnd)
    while segment <= laneEnd.position.segment {
      if let reader = try reader(lane, segment) {
        let limit = try limit(reader, laneEnd)
        // Begins at the end of an earlier intact line, to visit damage right after that line.
        var offset = try lowerBound(reader, time - .microseconds(1), limit: limit)
        while offset < limit {
          switch try reader.line(at: offset, limit: limit) {
          case .line(let line):
            if line.time > last { return }
            offset += line.length
          case .damaged(let until):
            let bytes = offset..<until
            if try !reader.isPunched(bytes), try !visit(reader, bytes) { return }
            offset = until
          case .end: offset = limit
          }
        }
      }
      segment += 1
    }
  }

  private func visitAll(
    _ reader: SegmentReader, _ bytes: Range<Int>, _ visit: Visit
  ) throws(Fault) -> Bool {
    var offset = bytes.lowerBound
    while offset < bytes.upperBound {
      switch try reader.line(at: offset, limit: bytes.upperBound) {
      case .line(let line):
        if !visit(line, offset, reader) { return false }
        offset += line.length
      case .damaged(let until): offset = until
      case .end: return true
      }
    }
    return true
  }

  private func reader(_ lane: Lane, _ segment: Int) throws(Fault) -> SegmentReader? {
    try Segment.open(queue, lane, segment).map { SegmentReader($0, lane, segment) }
  }

  private func limit(_ reader: SegmentReader, _ laneEnd: LaneEnd) throws(Fault) -> Int {
    reader.segment == laneEnd.position.segment ? laneEnd.position.offset : try reader.file.size()
  }

  // The last segment whose first line was stored before `time`: the wanted line is there or at the
  // start of the next.
  private func firstSegment(_ lane: Lane, _ time: Instant, _ laneEnd: LaneEnd) throws(Fault) -> Int
  {
    var low = Segment.first
    var high = laneEnd.position.segment
    while low < high {
      let middle = (low + high + 1) / 2
      if let start = try startTime(lane, middle, laneEnd), start >= time {
        high = middle - 1
      } else {
        low = middle
      }
    }
    return low
  }

  // nil: the segment was removed because of its age. One without a line sorts after all others.
  private func startTime(_ lane: Lane, _ segment: Int, _ laneEnd: LaneEnd) throws(Fault) -> Instant?
  {
    guard let reader = try reader(lane, segment) else { return nil }
    return try firstLine(reader, from: 0, limit: try limit(reader, laneEnd))?.line.time
      ?? .distantFuture
  }

  private func firstLine(
    _ reader: SegmentReader, from offset: Int, limit: Int
  ) throws(Fault) -> (offset: Int, line: SegmentLine)? {
    var at = offset
    while at < limit {
      switch try reader.line(at: at, limit: limit) {
      case .line(let line): return (at, line)
      case .damaged(let until): at = until
      case .end: return nil
      }
    }
    return nil
  }

  /// Offset of the first line stored at `time` or later; `limit` if there is none.
  private func lowerBound(_ reader: SegmentReader, _ time: Instant, limit: Int) throws(Fault) -> Int
  {
    try partitionPoint(reader, 0, limit) { $0.time < time }
  }

  /// First offset at or after `start` whose line fails `isBefore`; `limit` if there is none. Lines
  /// are partitioned: all that pass come first. Searches in doubling steps, then by halves, so that
  /// a near line is found at once.
  private func partitionPoint(
    _ reader: SegmentReader, _ start: Int, _ limit: Int, isBefore: (SegmentLine) -> Bool
  ) throws(Fault) -> Int {
    // Lines that begin before `low` pass; no line that begins at `high` or later passes.
    var low = start
    var high = limit
    var step = Lookup.near
    while low + step < high {
      guard let next = try line(reader, behind: low + step, limit: high) else {
        high = low + step + 1
        break
      }
      if !isBefore(next.line) {
        high = next.offset
        break
      }
      low = next.offset
      step *= 2
    }
    while high - low > Lookup.near {
      let middle = low + (high - low) / 2
      if let next = try line(reader, behind: middle, limit: high) {
        if isBefore(next.line) { low = next.offset } else { high = next.offset }
      } else {
        high = middle + 1
      }
    }
    while let first = try firstLine(reader, from: low, limit: limit), isBefore(first.line) {
      low = first.offset + first.line.length
    }
    return min(low, limit)
  }

  // Within this many bytes the search goes line by line.
  private static let near = 4096

  private func line(
    _ reader: SegmentReader, behind offset: Int, limit: Int
  ) throws(Fault) -> (offset: Int, line: SegmentLine)? {
    guard let start = try reader.lineStart(after: offset, limit: limit) else { return nil }
    return try firstLine(reader, from: start, limit: limit)
  }
}
