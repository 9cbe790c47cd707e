internal import PipeIO

extension KeyIndex {
  /// Lines that are read before their slots are written.
  static let batch = 32768

  /// Reads the lines that came since, whoever stored them, up to `mark`.
  func catchUp(_ queue: Queue, upTo mark: EndMark) throws(Fault) {
    let end = IndexState.Covered(segment: mark.place.segment, offset: mark.place.offset)
    let lookup = Lookup(queue)
    while state.covered[Int(mark.lane.rawValue)] < end {
      let start = try skip(lookup, mark)
      var batch = LineBatch(
        mark.lane, SeededHash(seed: state.seed), from: keptFrom, at: Clock.now(), start)
      let isComplete = try lookup.lines(mark.lane, at: start, upTo: mark) { line, offset, reader in
        batch.add(line, reader.segment, offset)
        return batch.slots.count < KeyIndex.batch
      }
      if batch.isPartial { state.completeFrom = max(state.completeFrom, keptFrom) }
      try insert(
        batch.slots, times: batch.times, mark.lane, upTo: isComplete ? end : batch.reached)
    }
  }

  /// Lines before this time are never asked for.
  private var keptFrom: Int64 { state.asked - state.window - KeyIndex.margin }

  // Where nobody looked for duplicates for long, whole segments are too old to be read.
  private func skip(_ lookup: Lookup, _ mark: EndMark) throws(Fault) -> Place {
    let covered = state.covered[Int(mark.lane.rawValue)]
    let start = Place(number: 0, segment: covered.segment, offset: covered.offset)
    guard covered.segment < mark.place.segment else { return start }
    let place = try lookup.place(mark.lane, from: keptFrom, mark)
    let found = IndexState.Covered(segment: place.segment, offset: place.offset)
    guard covered < found else { return start }
    state.completeFrom = max(state.completeFrom, keptFrom)
    return place
  }
}

/// What one reading of a lane brings.
private struct LineBatch {
  private let lane: Priority
  private let hash: SeededHash
  private let from: Int64
  private let now: Int64
  private(set) var slots: [Slot] = []
  /// Behind the last line.
  private(set) var reached: IndexState.Covered
  /// Whether lines were left out because they are too old.
  private(set) var isPartial = false
  private var first = Int64.max
  private var last: Int64 = 0

  init(
    _ lane: Priority, _ hash: SeededHash, from: Int64, at now: Int64, _ start: Place
  ) {
    self.lane = lane
    self.hash = hash
    self.from = from
    self.now = now
    reached = IndexState.Covered(segment: start.segment, offset: start.offset)
  }

  /// When its lines were accepted, none after now: what a clock that was ahead has stamped is not kept until then.
  var times: ClosedRange<Int64> { min(first, last)...last }

  mutating func add(_ line: SegmentLine, _ segment: Int, _ offset: Int) {
    reached = IndexState.Covered(segment: segment, offset: offset + line.length)
    guard line.time >= from else {
      isPartial = true
      return
    }
    let time = min(line.accepted(at: now), now)
    first = min(first, time)
    last = max(last, time)
    let print = Fingerprint(line, lane, hash)
    slots.append(Slot(print.content, lane, segment, offset))
    if let key = print.key { slots.append(Slot(key, lane, segment, offset)) }
  }
}
