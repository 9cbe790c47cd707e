internal import PipeIO
internal import PipeTime

/// The lines of a write batch in the order in which they came, with the hashes they are looked up
/// by.
struct IncomingKeys {
  struct Line {
    let lane: Lane
    let index: Int
    let receipt: Int
    let print: Fingerprint
    let mayRepeat: Bool
  }

  private(set) var lines: [Line] = []
  /// Indices of the lines that may not repeat an earlier one, ordered by wanted hash; of equal
  /// hashes, the earlier line comes first.
  let order: [Int]

  init(_ writeBatch: WriteBatch, _ hash: KeyHash) {
    for lane in Lane.allCases {
      for (index, line) in writeBatch[lane].lines.enumerated() {
        let print = writeBatch.withLine(lane, index) { Fingerprint($0, lane, hash) }
        lines.append(
          Line(
            lane: lane, index: index, receipt: line.receipt, print: print,
            mayRepeat: line.mayRepeat))
      }
    }
    lines.sort { $0.receipt < $1.receipt }
    let lines = lines
    order = lines.indices.filter { !lines[$0].mayRepeat }.sorted {
      let (one, other) = (lines[$0].print.wanted, lines[$1].print.wanted)
      return one != other ? one < other : $0 < $1
    }
  }

  var hashes: [UInt64] { order.map { lines[$0].print.wanted } }

  /// The fingerprint of a line that was not dropped.
  func print(ofReceipt receipt: Int) -> Fingerprint {
    lines[lines.partitionPoint { $0.receipt < receipt }].print
  }

  /// Adds the answers to lines that repeat another line of the same write batch to the answers that
  /// were found in the queue.
  func repeats(in writeBatch: WriteBatch, _ answers: inout [Int: EntryID]) {
    guard lines.count > 1 else { return }
    var known = HashChains(lines.count)
    for (position, line) in lines.enumerated() where answers[line.receipt] == nil {
      var earlier = line.mayRepeat ? nil : known.last(line.print.wanted)
      while let found = earlier, !isRepeat(position, found.line, writeBatch) {
        earlier = known.before(found)
      }
      if let earlier {
        answers[line.receipt] = writeBatch.receipts[lines[earlier.line].receipt].id
        continue
      }
      known.add(line.print.content, position)
      if let key = line.print.key { known.add(key, position) }
    }
  }

  private func isRepeat(_ one: Int, _ other: Int, _ writeBatch: WriteBatch) -> Bool {
    let (line, earlier) = (lines[one], lines[other])
    return writeBatch.withLine(line.lane, line.index) { new in
      writeBatch.withLine(earlier.lane, earlier.index) { new.repeats($0, line.lane, earlier.lane) }
    }
  }
}

/// Lines by hash, the latest first. Many lines can share a hash, as equal contents with different
/// keys do.
private struct HashChains {
  struct Link {
    let line: Int
    let before: Int
  }

  private var links: [Link] = []
  private var latest: [UInt64: Int] = [:]

  init(_ count: Int) { latest.reserveCapacity(count) }

  func last(_ hash: UInt64) -> Link? { latest[hash].map { links[$0] } }

  func before(_ link: Link) -> Link? { link.before < 0 ? nil : links[link.before] }

  mutating func add(_ hash: UInt64, _ line: Int) {
    links.append(Link(line: line, before: latest[hash] ?? -1))
    latest[hash] = links.count - 1
  }
}

extension WriteBatch {
  /// The columns that depend on position and time are still blank.
  func withLine<Result>(_ lane: Lane, _ index: Int, _ body: (SegmentLine) -> Result) -> Result {
    let (start, end) = (self[lane].lines[index].start, self[lane].end(of: index))
    return lanes[lane].text.withUnsafeBytes { text in
      // The write batch wrote this line itself, so it parses.
      body(SegmentLine(cut(text, start, end - 1))!)
    }
  }
}

/// Reads the lines that the index points at. The index may be wrong about each of them.
struct DuplicateVerifier {
  struct Candidate {
    /// Index into `IncomingKeys.lines`.
    let newcomer: Int
    let slot: Slot
  }

  private let queue: Queue
  private let laneEnds: LaneEnds
  private let now: Instant
  private let window: TimeSpan

  /// `window`: a line counts only if it was accepted less than this before `now`, and not after
  /// `now`, as a line from a clock that was ahead seems to be.
  init(_ queue: Queue, _ laneEnds: LaneEnds, at now: Instant, window: TimeSpan) {
    self.queue = queue
    self.laneEnds = laneEnds
    self.now = now
    self.window = window
  }

  private func counts(_ line: SegmentLine) -> Bool {
    (.zero..<window).contains(now - line.accepted(at: now))
  }

  /// For each receipt, the id of the equal line that was accepted last.
  func answers(
    _ incoming: IncomingKeys, _ candidates: [Candidate], _ writeBatch: WriteBatch
  ) throws(Fault) -> [Int: EntryID] {
    var found: [Int: (time: Instant, id: EntryID)] = [:]
    var reader: SegmentReader?
    // In file order: each part of a segment is read once, however many candidates point to it.
    for candidate in candidates.sorted(by: { $0.slot.position < $1.slot.position }) {
      let slot = candidate.slot
      guard let lane = slot.lane else { continue }
      if reader?.lane != lane || reader?.segment != slot.segment {
        reader = try Segment.open(queue, lane, slot.segment).map {
          SegmentReader($0, lane, slot.segment)
        }
      }
      guard let reader, let line = try line(slot, reader), counts(line) else { continue }
      let new = incoming.lines[candidate.newcomer]
      guard line.time > found[new.receipt]?.time ?? .distantPast,
        writeBatch.withLine(new.lane, new.index, { $0.repeats(line, new.lane, lane) })
      else { continue }
      found[new.receipt] = (line.time, line.id)
    }
    return found.mapValues(\.id)
  }

  // nil: the segment was pruned, or no line begins at this location.
  private func line(_ slot: Slot, _ reader: SegmentReader) throws(Fault) -> SegmentLine? {
    let laneEnd = laneEnds[reader.lane]
    guard reader.segment <= laneEnd.position.segment else { return nil }
    let limit =
      reader.segment == laneEnd.position.segment ? laneEnd.position.offset : try reader.finalSize()
    guard case .line(let line) = try reader.line(at: slot.offset, limit: limit) else { return nil }
    return line
  }
}
