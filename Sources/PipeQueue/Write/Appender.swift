internal import Glibc
package import PipeIO
package import PipeTime

/// Stores entries. A commit makes one append and one flush per lane, and its receipts are valid
/// once `commit` returns.
package final class Appender {
  private let queue: Queue
  private var tails = PerLane<LaneTail?>.repeating(nil)
  private lazy var duplicates = DuplicateIDs(queue)
  private let dedup: Dedup?
  private let isMoving: Bool
  /// Lanes in which a segment was begun since the last pruning.
  private var rolled: [Lane] = []
  /// When a disk that is nearly full is pruned again.
  private var nextPrune = SteadyInstant.distantPast

  private static let pruneInterval: TimeSpan = .seconds(1)
  /// Whether the last commit stopped only because the disk is nearly full.
  private var isNearlyFull = false

  /// `window`: the time within which an equal earlier entry answers in place of a new one; 0:
  /// none. `isMoving`: the entries replace others, so the bounds of the queue do not apply; and the
  /// caller has the lock of later/, so nothing is pruned.
  package init(_ queue: Queue, dedup window: TimeSpan = .zero, isMoving: Bool = false) {
    self.queue = queue
    self.isMoving = isMoving
    dedup = window > .zero ? Dedup(queue, window: window) : nil
  }

  /// Appends the write batch, flushes, and moves the ends. Stores all of it or none of it, unless
  /// it throws a fault of the kind `outcomeUnknown`: a flush failed, and the result cannot be
  /// known.
  package func commit(_ writeBatch: inout WriteBatch) throws(Fault) {
    // A disk that is full of prunable segments is not full. It is pruned while the last segment can
    // still be pruned too, which one waiting item prevents.
    isNearlyFull = false
    do throws(Fault) {
      try commitOnce(&writeBatch, stopsIfNearlyFull: !isMoving && nextPrune <= Clock.steady())
    } catch {
      guard !isMoving, error.kind == .tryLater, error.isDiskFull else { throw error }
      let hasPruned = pruneAll()
      nextPrune = Clock.steady() + Appender.pruneInterval
      guard hasPruned || isNearlyFull else { throw error }
      try commitOnce(&writeBatch, stopsIfNearlyFull: false)
    }
  }

  private func pruneAll() -> Bool {
    // An open segment keeps its blocks.
    tails = .repeating(nil)
    guard let pruned = try? queue.prune() else { return false }
    return pruned.removed.bytes > 0
  }

  private func commitOnce(
    _ writeBatch: inout WriteBatch, stopsIfNearlyFull: Bool
  ) throws(Fault) {
    try dedup?.begin()
    do throws(Fault) { try queue.lockEnd() } catch {
      dedup?.end()
      throw error
    }
    var ends: LaneEnds
    do throws(Fault) {
      ends = try queue.soundEnds()
      try prepare(&writeBatch, &ends, stopsIfNearlyFull)
      try append(&writeBatch, ends)
    } catch {
      unlock()
      throw error
    }
    unlock()
    try flush(ends)
  }

  // unlockEnd comes last: it prints the pending reports, which must wait until no lock is held.
  private func unlock() {
    dedup?.end()
    queue.unlockEnd()
  }

  /// Prunes after commits that began segments; no stored entry depends on it.
  package func pruneSome() {
    guard !rolled.isEmpty, let ends = try? queue.ends() else { return }
    for lane in rolled { try? queue.pruneSome(lane, ends) }
    rolled.removeAll()
  }

  // Drops duplicates, checks for room, and provides a segment for each lane that gets lines.
  private func prepare(
    _ writeBatch: inout WriteBatch, _ ends: inout LaneEnds, _ stopsIfNearlyFull: Bool
  ) throws(Fault) {
    let looksAtAll = writeBatch.hasForeignIDs || dedup != nil || queue.settings.hasBounds
    for lane in Lane.allCases where looksAtAll || !writeBatch[lane].lines.isEmpty {
      let known = tails[lane]
      tails[lane] = try queue.tail(ends[lane], known: known)
    }
    let laneEnds = PerLane { tails[$0]?.laneEnd ?? ends[$0] }
    if writeBatch.hasForeignIDs { try duplicates.drop(from: &writeBatch, upTo: laneEnds) }
    try dedup?.drop(from: &writeBatch, upTo: laneEnds)
    let left = try queue.requireRoom(for: writeBatch, behind: laneEnds, isMoving: isMoving)
    if stopsIfNearlyFull, left < Segment.rollSize {
      isNearlyFull = true
      throw Fault(.tryLater, "the disk is nearly full", code: ENOSPC)
    }
    for lane in Lane.allCases where !writeBatch[lane].lines.isEmpty {
      let tail = tails[lane]
      if let tail, tail.position.offset < Segment.rollSize {
        // The process that began this segment may have died before it flushed the end that leads to it.
        let isNew = tail.position.offset == 0 && tail.position.segment > Segment.first
        if isNew { try queue.end.flush() }
        continue
      }
      let next = try queue.roll(lane, from: tail, ends[lane])
      tails[lane] = next
      ends[lane] = next.laneEnd
      rolled.append(lane)
    }
  }

  /// Writes the lines of each lane after its end, under the lock of end/.
  ///
  /// Transition: append
  private func append(_ writeBatch: inout WriteBatch, _ ends: LaneEnds) throws(Fault) {
    let lanes = Lane.allCases.filter { !writeBatch[$0].lines.isEmpty }
    let now = Clock.now()
    // A copy is later than the line that it replaces, in whichever lane that is.
    let earlier = isMoving ? Lane.allCases : lanes
    let time = earlier.reduce(now) {
      max($0, max(tails[$1]?.time ?? .epoch, ends[$1].time) + .microseconds(1))
    }
    if time > now { writeBatch.note(accepted: now) }
    // Before the lines: any process that finds those may make them part of the queue.
    var strays = OutOfOrderLog(queue)
    for lane in lanes {
      try strays.note(writeBatch[lane], lane, tails[lane]!.position, time: time)
    }
    try strays.flush()
    var written: [LaneTail] = []
    for lane in lanes {
      var tail = tails[lane]!
      writeBatch.seal(lane, at: tail.position, time: time)
      do throws(Fault) {
        written.append(tail)
        try writeBatch[lane].text.write(to: tail.file, at: tail.position.offset)
      } catch {
        // No process has seen these bytes: they are after the end, and the lock is held.
        for tail in written { tails[tail.lane] = nil }
        try cut(written, error)
      }
      tail.position.offset += writeBatch[lane].text.count
      tail.position.number += writeBatch[lane].items
      tail.entries += writeBatch[lane].lines.count
      tail.time = time
      if writeBatch.hasForeignIDs { duplicates.note(tail, writeBatch[lane]) }
      tails[lane] = tail
    }
    dedup?.remember(writeBatch, at: written.map { ($0.lane, $0.position) }, time: now)
  }

  /// Runs without any lock: other writers may append meanwhile, and one flush may serve several.
  ///
  /// Transition: accept
  private func flush(_ ends: LaneEnds) throws(Fault) {
    do throws(Fault) {
      for lane in Lane.allCases {
        // A duplicate may have been found in lines that another writer has not flushed yet.
        guard let tail = tails[lane], tail.laneEnd > ends[lane] else { continue }
        try queue.flushLines(of: tail, after: ends[lane])
        try publish(tail, ends)
      }
    } catch {
      tails = .repeating(nil)
      throw Appender.unknown(error)
    }
  }
}

extension Appender {
  /// On a file system that is too full even to truncate, the reserve is lent for this call and then
  /// taken again.
  /// Step of: cut
  private func cut(_ written: [LaneTail], _ fault: Fault) throws(Fault) -> Never {
    do throws(Fault) {
      for tail in written {
        try Reserve(queue.root).withReserveReleased { () throws(Fault) in
          try tail.file.truncate(to: tail.position.offset)
        }
      }
    } catch { throw Appender.unknown(fault) }
    throw fault
  }

  private static func unknown(_ fault: Fault) -> Fault {
    Fault(
      .outcomeUnknown,
      "\(fault.text); the outcome is unknown: entries without a receipt may still be delivered",
      code: fault.code)
  }

  // The lines are on disk for good. If the disk has no room for a longer name of the end, the next
  // commit or consumer moves the end.
  private func publish(_ tail: LaneTail, _ ends: LaneEnds) throws(Fault) {
    do throws(Fault) { try queue.publish(tail.laneEnd, from: ends[tail.lane]) } catch {
      guard error.isDiskFull else { throw error }
    }
  }
}

extension Queue {
  /// Throws "full" unless the write batch fits into the limits of the queue and leaves the required
  /// space free on the file system. A single entry that would not fit even into an empty queue
  /// throws `settings`, since waiting does not help. `laneEnds`: the ends of all lanes, unflushed
  /// lines included. `isMoving`: the entries are in the queue already, and need only space.
  /// Returns the bytes that the file system has left beyond all this.
  @discardableResult
  func requireRoom(
    for writeBatch: WriteBatch, behind laneEnds: LaneEnds, isMoving: Bool = false
  ) throws(Fault) -> Int {
    guard Lane.allCases.contains(where: { !writeBatch[$0].lines.isEmpty }) else { return .max }
    let left = try requireSpace(writeBatch.byteCount)
    guard settings.hasBounds, !isMoving else { return left }
    let items = Lane.allCases.reduce(0) { $0 + writeBatch[$1].items }
    if writeBatch.receipts.count == 1 { try requireSpan(items, writeBatch.byteCount) }
    let listing = try listingNow()
    let waiting = try unsettled(laneEnds, listing, early: nil)
    guard let fault = overflow(waiting, items, writeBatch.byteCount) else { return left }
    // Cancelled or delayed items that no consumer has reached have no names in now/: their names in dead/ and later/
    // are read only if the queue would be full with them.
    guard let early = listing.early else { throw fault }
    let rest = try unsettled(laneEnds, listing, early: early)
    if let fault = overflow(rest, items, writeBatch.byteCount) { throw fault }
    return left
  }

  /// Why this many new items and bytes do not fit beside what is waiting; nil if they do.
  private func overflow(
    _ waiting: (items: Int, bytes: Int), _ items: Int, _ bytes: Int
  ) -> Fault? {
    if let most = settings.maxItems, waiting.items + items > most {
      return full(
        "\(waiting.items) items are not done, at most \(most) allowed (pipe init --max-items)")
    }
    if let most = settings.maxBytes, waiting.bytes + bytes > most {
      return full(
        "\(waiting.bytes) bytes are not done, at most \(most) allowed (pipe init --max-bytes)")
    }
    return nil
  }

  private func requireSpace(_ bytes: Int) throws(Fault) -> Int {
    let space = try space()
    // Some file systems in memory have no bound and report 0.
    guard space.total > 0 else { return .max }
    let asked = settings.bytesToLeave(of: space.total)
    let left = space.free - max(asked, Reserve.most) - bytes - Reserve.most
    if left >= 0 { return left }
    // Space that consumers gave up to drain the queue is kept for them.
    let reserve = Reserve(root)
    let missing = try reserve.missing()
    let kept = max(asked, try reserve.slack()) + missing
    if space.free >= kept + bytes { return 0 }
    throw full(
      "\(space.free) bytes are free on its file system, and \(kept) must stay free"
        + " (pipe init --min-free)",
      code: ENOSPC)
  }

  private func requireSpan(_ items: Int, _ bytes: Int) throws(Fault) {
    let what = "\(printable(path)): the entry is too large for this queue:"
    if let most = settings.maxItems, items > most {
      throw Fault(
        .settings, "\(what) \(items) items, at most \(most) allowed (pipe init --max-items)")
    }
    if let most = settings.maxBytes, bytes > most {
      throw Fault(
        .settings, "\(what) \(bytes) bytes, at most \(most) allowed (pipe init --max-bytes)")
    }
  }

  // `code`: ENOSPC if the disk is full.
  private func full(_ why: String, code: Int32 = 0) -> Fault {
    Fault(.tryLater, "\(printable(path)): the queue is full: \(why)", code: code)
  }

  // Items that are stored and neither done nor dead, and the bytes of the segments from the oldest of them on,
  // where each full segment counts with the size at which it is rolled. `early`: nil if items that consumers
  // pass over count too.
  private func unsettled(
    _ laneEnds: LaneEnds, _ listing: NowListing, early: EarlyHint?
  ) throws(Fault) -> (items: Int, bytes: Int) {
    let names = listing.names
    // Parked items count too; their bytes do not.
    var items = listing.later?.items ?? 0
    var bytes = 0
    for laneEnd in laneEnds {
      let line = LaneMap(laneEnd.lane, end: laneEnd.position, names: names)
      let undone = try withoutPassedOver(line.undone, early)
      items += undone.reduce(0) { $0 + $1.count }
      guard let oldest = undone.first?.from else { continue }
      let end = laneEnd.position
      bytes =
        bytes &+ (end.segment - oldest.segment) &* Segment.rollSize &+ end.offset - oldest.offset
    }
    return (items, max(0, bytes))
  }
}
