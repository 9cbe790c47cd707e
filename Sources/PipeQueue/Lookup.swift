internal import PipeIO

/// Finds lines by the time at which they were stored, and by that entries by their ids, in a number of
/// steps that grows with the logarithm of what the queue holds.
struct Lookup {
  private let queue: Queue

  init(_ queue: Queue) { self.queue = queue }

  struct Found {
    let lane: Priority
    let segment: Int
    let offset: Int
    let reader: SegmentReader
  }

  /// The entry with this id, if it is before the ends.
  func find(_ id: EntryID, _ ends: Ends) throws(Fault) -> Found? {
    for lane in Priority.allCases {
      var found: Found?
      try lines(lane, from: id.milliseconds * 1000, upTo: ends[lane]) { line, offset, reader in
        if line.id == id {
          found = Found(lane: lane, segment: reader.segment, offset: offset, reader: reader)
        }
        return found == nil && !StrayFile.isStray(id, time: line.time)
      }
      if let found { return found }
    }
    for run in try queue.strayRuns(id, id) {
      var found: Found?
      try lines(of: run, upTo: ends[run.lane]) { line, offset, reader in
        if line.id == id {
          found = Found(lane: run.lane, segment: run.segment, offset: offset, reader: reader)
        }
        return found == nil
      }
      if let found { return found }
    }
    return nil
  }

  typealias Visit = (_ line: SegmentLine, _ offset: Int, _ reader: SegmentReader) -> Bool

  /// Visits the lines of a lane that were stored at `time` or later, in order, until `visit` says false.
  /// Returns whether it came to the end.
  @discardableResult
  func lines(
    _ lane: Priority, from time: Int64, upTo mark: EndMark, _ visit: Visit
  ) throws(Fault) -> Bool {
    guard mark.time >= time else { return true }
    let segment = try firstSegment(lane, time, mark)
    var place = Place(number: 0, segment: segment, offset: 0)
    if let reader = try reader(lane, segment) {
      place.offset = try lowerBound(reader, time, limit: try limit(reader, mark))
    }
    return try lines(lane, at: place, upTo: mark, visit)
  }

  /// The same, from a place that is the start of a line.
  func lines(
    _ lane: Priority, at place: Place, upTo mark: EndMark, _ visit: Visit
  ) throws(Fault) -> Bool {
    var (segment, offset) = (place.segment, place.offset)
    while segment <= mark.place.segment {
      if let reader = try reader(lane, segment) {
        let limit = try limit(reader, mark)
        if offset < limit, try !visitAll(reader, offset..<limit, visit) { return false }
      }
      (segment, offset) = (segment + 1, 0)
    }
    return true
  }

  func lines(of run: StrayRun, upTo mark: EndMark, _ visit: Visit) throws(Fault) {
    guard run.segment <= mark.place.segment, let reader = try reader(run.lane, run.segment) else {
      return
    }
    let limit = min(run.bytes.upperBound, try limit(reader, mark))
    guard run.bytes.lowerBound < limit else { return }
    _ = try visitAll(reader, run.bytes.lowerBound..<limit, visit)
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

  private func reader(_ lane: Priority, _ segment: Int) throws(Fault) -> SegmentReader? {
    try Segment.open(queue, lane, segment).map { SegmentReader($0, lane, segment) }
  }

  private func limit(_ reader: SegmentReader, _ mark: EndMark) throws(Fault) -> Int {
    reader.segment == mark.place.segment ? mark.place.offset : try reader.file.size()
  }

  // The last segment whose first line is before `time`: the line looked for is there or right behind.
  private func firstSegment(_ lane: Priority, _ time: Int64, _ mark: EndMark) throws(Fault) -> Int {
    var low = Segment.first
    var high = mark.place.segment
    while low < high {
      let middle = (low + high + 1) / 2
      if let start = try startTime(lane, middle, mark), start >= time {
        high = middle - 1
      } else {
        low = middle
      }
    }
    return low
  }

  // nil: removed because it is old, or it has no line yet; then the search goes on above.
  private func startTime(_ lane: Priority, _ segment: Int, _ mark: EndMark) throws(Fault) -> Int64?
  {
    guard let reader = try reader(lane, segment) else { return nil }
    return try firstLine(reader, from: 0, limit: try limit(reader, mark))?.time
  }

  private func firstLine(
    _ reader: SegmentReader, from offset: Int, limit: Int
  ) throws(Fault) -> (offset: Int, time: Int64)? {
    var at = offset
    while at < limit {
      switch try reader.line(at: at, limit: limit) {
      case .line(let line): return (at, line.time)
      case .damaged(let until): at = until
      case .end: return nil
      }
    }
    return nil
  }

  /// Offset of the first line stored at `time` or later; `limit` if there is none.
  private func lowerBound(_ reader: SegmentReader, _ time: Int64, limit: Int) throws(Fault) -> Int {
    guard let first = try firstLine(reader, from: 0, limit: limit), first.time < time else {
      return 0
    }
    // The line at `low` is before `time`; no line before `time` begins at `high` or later.
    var low = first.offset
    var high = limit
    while high - low > 8192 {
      let middle = low + (high - low) / 2
      if let start = try reader.lineStart(after: middle, limit: high),
        let line = try firstLine(reader, from: start, limit: high)
      {
        if line.time < time { low = line.offset } else { high = start }
      } else {
        high = middle + 1
      }
    }
    while let line = try firstLine(reader, from: low, limit: limit) {
      if line.time >= time { return line.offset }
      guard let next = try reader.lineStart(after: line.offset, limit: limit) else { break }
      low = next
    }
    return limit
  }
}
