internal import Glibc
internal import PipeIO
internal import PipeTime

/// The segment in which a lane grows, and the position of its next line. Valid only while the lock
/// of end/ is held, or once the file's size has been compared again.
struct LaneTail {
  let lane: Lane
  let file: Descriptor
  /// Position of the next line.
  var position: Position
  var entries: Int
  var time: Instant
  private let seal: UInt32

  var laneEnd: LaneEnd {
    LaneEnd(lane: lane, position: position, entries: entries, time: time, seal: seal)
  }

  init(_ laneEnd: LaneEnd, _ file: Descriptor) {
    lane = laneEnd.lane
    self.file = file
    position = laneEnd.position
    entries = laneEnd.entries
    time = laneEnd.time
    seal = laneEnd.seal
  }
}

extension Queue {
  /// The tail of a lane from `laneEnd` on, with its lines checked up to the size of the file. `known`:
  /// the tail that this process left last. Requires the lock of end/. nil: nothing may ever be
  /// appended to this segment again, because it is missing or shorter than what was flushed.
  func tail(_ laneEnd: LaneEnd, known: LaneTail?) throws(Fault) -> LaneTail? {
    var tail: LaneTail
    if let known, known.position.segment == laneEnd.position.segment, known.laneEnd >= laneEnd {
      tail = known
    } else {
      let (lane, segment) = (laneEnd.lane, laneEnd.position.segment)
      guard let file = try Segment.open(self, lane, segment, writable: true) else { return nil }
      tail = LaneTail(laneEnd, file)
      try endLastLine(&tail)
    }
    let size = try tail.file.size()
    if size < tail.position.offset { return nil }
    if size > tail.position.offset { try check(&tail, upTo: size) }
    return tail
  }

  // A line whose last byte is damaged must not spoil the next line.
  private func endLastLine(_ tail: inout LaneTail) throws(Fault) {
    guard tail.position.offset > 0 else { return }
    var last: UInt8 = newline
    let count = try withUnsafeMutableBytes(of: &last) { (byte) throws(Fault) in
      try tail.file.read(into: byte, at: tail.position.offset - 1)
    }
    guard count == 1, last != newline else { return }
    // If lines follow, the line that begins here ends with its own newline.
    guard try tail.file.size() == tail.position.offset else { return }
    try [newline].write(to: tail.file, at: tail.position.offset)
    tail.position.offset += 1
    note(
      "\(Segment.path(tail.lane, tail.position.segment)): byte \(tail.position.offset - 2):"
        + " the last line has lost its newline; one is appended")
  }

  /// Lines after the end belong to writers that are flushing now or have died. Only a torn tail is
  /// cut: a complete line is stored, even if no receipt for it was ever printed.
  ///
  /// Transition: cut
  private func check(_ tail: inout LaneTail, upTo size: Int) throws(Fault) {
    let reader = SegmentReader(tail.file, tail.lane, tail.position.segment)
    var offset = tail.position.offset
    var damage: Int?
    while offset < size {
      switch try reader.line(at: offset, limit: size) {
      case .line(let line):
        if let start = damage { try quarantine(tail.lane, tail.position.segment, start..<offset) }
        damage = nil
        offset += line.length
        tail.position.offset = offset
        tail.position.number = max(tail.position.number, line.number) + line.items
        tail.entries += 1
        tail.time = max(tail.time, line.time)
      case .damaged(let until):
        damage = damage ?? offset
        offset = until
      case .end: offset = size
      }
    }
    guard let start = damage else { return }
    if try reader.lineStart(after: start, limit: size) != nil {
      try quarantine(tail.lane, tail.position.segment, start..<size)
    }
    let file = tail.file
    try root.relieved { () throws(Fault) in try file.truncate(to: start) }
  }

  /// Begins the next segment. Requires the lock of end/. When it returns, all bytes of the old
  /// segment are on disk, and so is the name of the end that points to the new one: no process
  /// lists segments.
  func roll(_ lane: Lane, from tail: LaneTail?, _ laneEnd: LaneEnd) throws(Fault) -> LaneTail {
    if let tail { try flushLines(of: tail, after: laneEnd, isLocked: true) }
    let old = tail?.laneEnd ?? laneEnd
    var next = old
    next.position.segment += 1
    next.position.offset = 0
    let file = try beginSegment(lane, next.position.segment)
    try publish(next, from: laneEnd)
    try end.flush()
    var tail = LaneTail(next, file)
    // A copy made while the queue was in use can have more segments than its end shows.
    let size = try file.size()
    if size > 0 { try check(&tail, upTo: size) }
    return tail
  }

  /// Opens or creates the file of a segment; its name is then on disk.
  func beginSegment(_ lane: Lane, _ number: Int) throws(Fault) -> Descriptor {
    let lanes = try part("segments").subdirectory(making: lane.name)
    let directory = try lanes.subdirectory(making: Segment.group(number))
    // Even if the directory exists: its creator may have died before this flush.
    if Segment.isFirstOfGroup(number) { try lanes.flush() }
    let file = try Descriptor.create(Segment.name(number), in: directory, O_RDWR)
    try directory.flush()
    return file
  }

  /// Moves the end of a lane forward to `laneEnd`, up to which lines are on disk; never backward.
  /// `seen`: the end as last seen.
  ///
  /// Transition: publish, roll, help
  func publish(_ laneEnd: LaneEnd, from seen: LaneEnd) throws(Fault) {
    var current = seen
    while current < laneEnd {
      switch try end.rename(current.text, to: laneEnd.text) {
      case .renamed: return
      case .missing:
        guard let now = try endListing()[laneEnd.lane] else {
          return try Queue.touch(laneEnd.text, in: end)
        }
        current = now
      case .taken:
        throw Fault(
          .inputOutput, "\(end.path)/\(laneEnd.text): exists beside \(current.text) (see pipe fsck)"
        )
      }
    }
  }

  /// Flushes all lines after `laneEnd`, whichever process wrote them. If that fails, they are written again: the
  /// kernel marks their pages clean, and the next flush, by another process, would succeed without them.
  /// Written again, they are dirty, and that flush reports the truth. `isLocked`: the caller has the lock of
  /// end/.
  func flushLines(
    of tail: LaneTail, after laneEnd: LaneEnd, isLocked: Bool = false
  ) throws(Fault) {
    do throws(Fault) { try tail.file.flushData() } catch {
      if isLocked {
        rewriteLines(of: tail, after: laneEnd)
      } else if (try? lockEnd()) != nil {
        rewriteLines(of: tail, after: laneEnd)
        unlockEnd()
      }
      throw error
    }
  }

  private func rewriteLines(of tail: LaneTail, after laneEnd: LaneEnd) {
    let isSame = laneEnd.position.segment == tail.position.segment
    var offset = isSame ? laneEnd.position.offset : 0
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    // Lines that were cut off meanwhile belong to no writer any more.
    while let count = try? piece.withUnsafeMutableBytes({ (memory) throws(Fault) in
      try tail.file.read(into: memory, at: offset)
    }), count > 0 {
      guard (try? Array(piece[..<count]).write(to: tail.file, at: offset)) != nil else { return }
      offset += count
    }
  }

  /// Makes complete lines that a dead writer left after the end part of the queue, and cuts a torn
  /// tail. Lines of a living writer that is flushing become visible earlier this way. Returns
  /// whether an end moved. Does nothing while another process has the lock of end/, unless `waiting`.
  func advanceEnds(_ ends: LaneEnds, waiting: Bool = false) throws(Fault) -> Bool {
    let grown = Lane.allCases.filter { lane in
      let position = ends[lane].position
      return root.size(of: Segment.path(lane, position.segment)).map { $0 > position.offset }
        ?? false
    }
    if grown.isEmpty { return false }
    // A living writer that has the lock will publish its own lanes.
    if waiting { try lockEnd() } else { guard try end.tryLock() else { return false } }
    var tails: [LaneTail] = []
    do throws(Fault) {
      let now = try soundEnds()
      for lane in grown {
        if let tail = try tail(now[lane], known: nil), tail.laneEnd > now[lane] {
          tails.append(tail)
        }
      }
    } catch {
      unlockEnd()
      throw error
    }
    unlockEnd()
    var isMoved = false
    for tail in tails {
      try flushLines(of: tail, after: ends[tail.lane])
      do throws(Fault) {
        try publish(tail.laneEnd, from: ends[tail.lane])
        isMoved = true
      } catch {
        // Draining the items before the end makes room.
        guard error.isDiskFull else { throw error }
      }
    }
    return isMoved
  }
}
