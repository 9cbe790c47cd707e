internal import PipeIO

/// Looks at the lines that the index points at. It may be wrong about each of them.
struct EarlierLines {
  struct Candidate {
    /// Position among the newcomers.
    let newcomer: Int
    let slot: Slot
  }

  private let queue: Queue
  private let marks: [EndMark]
  private let now: Int64
  private let window: Int64

  /// `window`: only lines that were accepted less than that before `now` count, and none that seems to come after it,
  /// as those of a clock that was ahead do.
  init(_ queue: Queue, _ marks: [EndMark], at now: Int64, window: Int64) {
    self.queue = queue
    self.marks = marks
    self.now = now
    self.window = window
  }

  private func counts(_ line: SegmentLine) -> Bool {
    (0..<window).contains(now - line.accepted(at: now))
  }

  /// By receipt, the id of the equal line that was accepted last.
  func answers(
    _ newcomers: Newcomers, _ candidates: [Candidate], _ draft: Draft
  ) throws(Fault) -> [Int: EntryID] {
    var found: [Int: (time: Int64, id: EntryID)] = [:]
    var reader: SegmentReader?
    // In the order of the files: each stretch of a segment is read once, however many ask for it.
    for candidate in candidates.sorted(by: { $0.slot.place < $1.slot.place }) {
      let slot = candidate.slot
      guard let lane = slot.lane else { continue }
      if reader?.lane != lane || reader?.segment != slot.segment {
        reader = try Segment.open(queue, lane, slot.segment).map {
          SegmentReader($0, lane, slot.segment)
        }
      }
      guard let reader, let line = try line(slot, reader), counts(line) else { continue }
      let new = newcomers.lines[candidate.newcomer]
      guard line.time > found[new.receipt]?.time ?? .min,
        draft.withLine(new.lane, new.index, { $0.repeats(line, new.lane, lane) })
      else { continue }
      found[new.receipt] = (line.time, line.id)
    }
    return found.mapValues(\.id)
  }

  // nil: pruned, or no line of this place.
  private func line(_ slot: Slot, _ reader: SegmentReader) throws(Fault) -> SegmentLine? {
    let mark = marks[Int(reader.lane.rawValue)]
    guard reader.segment <= mark.place.segment else { return nil }
    let limit =
      reader.segment == mark.place.segment ? mark.place.offset : try reader.finalSize()
    guard case .line(let line) = try reader.line(at: slot.offset, limit: limit) else { return nil }
    return line
  }
}
