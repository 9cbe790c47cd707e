internal import PipeIO
internal import PipeTime

/// Answers lines of a write batch with equal entries that were accepted less than one window ago
/// (pipe-queue(5), DEDUP).
///
/// The lock of dedup/ is taken before that of end/, and only by writers with a window. Under the
/// first lock alone, the index reads the lines published since its last use, which may take long.
/// Under both locks it then reads only the last few lines, so that of two processes the second
/// finds what the first appends.
final class Dedup {
  private let queue: Queue
  private let window: TimeSpan
  private let boot = BootID.current()
  private var directory: Directory?
  private var index: KeyIndex?
  private var incoming: IncomingKeys?

  init(_ queue: Queue, window: TimeSpan) {
    self.queue = queue
    self.window = window
  }

  /// Takes the lock of dedup/ and reads the lines published since the index was last used.
  func begin() throws(Fault) {
    let directory = try lockedDirectory()
    do throws(Fault) {
      let ends = try queue.ends()
      let laneEnds = PerLane { ends[$0] }
      index = try usable(directory, laneEnds)
      try healing(laneEnds) { (index) throws(Fault) in
        for laneEnd in laneEnds { try index.catchUp(queue, upTo: laneEnd) }
        try index.forget(Clock.now())
      }
    } catch {
      end()
      throw error
    }
  }

  /// Answers the lines of the write batch that repeat earlier lines, and removes them from it.
  /// `laneEnds`: the ends of all lanes up to which lines are checked, flushed or not. Requires the
  /// lock of end/ too.
  func drop(from writeBatch: inout WriteBatch, upTo laneEnds: LaneEnds) throws(Fault) {
    let now = Clock.now()
    let lines = writeBatch
    var answers: [Int: EntryID] = [:]
    try healing(laneEnds) { (index) throws(Fault) in
      // The index knows lines that the lanes do not have: it belongs to another queue, or the disk
      // has lied.
      guard index.state.isWithin(laneEnds) else { throw damagedIndex(queue.path + "/dedup") }
      for laneEnd in laneEnds { try index.catchUp(queue, upTo: laneEnd) }
      let incoming = IncomingKeys(lines, KeyHash(seed: index.state.seed))
      let candidates = try index.candidates(for: incoming)
      answers = try DuplicateVerifier(queue, laneEnds, at: now, window: window).answers(
        incoming, candidates, lines)
      self.incoming = incoming
    }
    incoming?.repeats(in: writeBatch, &answers)
    if !answers.isEmpty { writeBatch.answer(answers) }
  }

  /// Adds the lines just appended at `starts`, accepted at `time`, to the index. A fault costs only
  /// time: the lines are in their segments, and the index reads them next time.
  func remember(
    _ writeBatch: WriteBatch, at starts: [(lane: Lane, position: Position)], time: Instant
  ) {
    guard let index, let incoming else { return }
    for start in starts {
      try? index.remember(incoming, writeBatch[start.lane], start.lane, start.position, time: time)
    }
  }

  func end() {
    (index, incoming) = (nil, nil)
    directory?.unlock()
  }

  // If dedup/ was removed while this process waited, its lock is one that no other process sees.
  private func lockedDirectory() throws(Fault) -> Directory {
    while true {
      let found: Directory
      if let directory {
        found = directory
      } else {
        found = try queue.root.subdirectory(making: "dedup")
      }
      directory = found
      try Queue.lock(found, exclusive: true, queue.report)
      if !found.isRemoved { return found }
      directory = nil
    }
  }

  private func usable(_ directory: Directory, _ laneEnds: LaneEnds) throws(Fault) -> KeyIndex {
    let now = Clock.now()
    if let found = try openIndex(directory),
      found.state.completeFrom <= max(.epoch, now - window)
    {
      found.ask(for: window, now)
      return found
    }
    return try rebuilt(directory, laneEnds, now)
  }

  // An unreadable index counts as missing: it must not keep anything from being stored.
  private func openIndex(_ directory: Directory) throws(Fault) -> KeyIndex? {
    do throws(Fault) { return try KeyIndex.open(directory, boot: boot) } catch {
      guard [.inputOutput, .permission].contains(error.kind) else { throw error }
      queue.note("\(error.text); rebuilt from the segments")
      return nil
    }
  }

  private func rebuilt(
    _ directory: Directory, _ laneEnds: LaneEnds, _ now: Instant
  ) throws(Fault) -> KeyIndex {
    // At least a minute: it costs little, and files come and go less often.
    let kept = max(window, KeyIndex.margin)
    let from = max(.epoch, now - kept - KeyIndex.margin)
    let lookup = Lookup(queue)
    let covered = try PerLane { (lane) throws(Fault) in
      let position = try lookup.position(lane, from: from, laneEnds[lane])
      return IndexState.Covered(segment: position.segment, offset: position.offset)
    }
    let state = IndexState(
      boot: boot, seed: randomWord(), completeFrom: from, window: kept, asked: now,
      covered: covered)
    return try KeyIndex.create(directory, state)
  }

  // Rebuilds a damaged index, once, and runs `body` again.
  private func healing(
    _ laneEnds: LaneEnds, _ body: (KeyIndex) throws(Fault) -> Void
  ) throws(Fault) {
    guard let index, let directory else { return }
    do throws(Fault) { return try body(index) } catch {
      guard error.isOfDamagedIndex else { throw error }
      queue.note("\(error.text); rebuilt from the segments")
    }
    let fresh = try rebuilt(directory, laneEnds, Clock.now())
    self.index = fresh
    try body(fresh)
  }
}

extension IndexState {
  func isWithin(_ laneEnds: LaneEnds) -> Bool {
    laneEnds.allSatisfy {
      covered[$0.lane]
        <= Covered(segment: $0.position.segment, offset: $0.position.offset)
    }
  }
}

extension KeyIndex {
  func candidates(for incoming: IncomingKeys) throws(Fault) -> [DuplicateVerifier.Candidate] {
    var found: [DuplicateVerifier.Candidate] = []
    try find(incoming.hashes) { probe, slot in
      found.append(DuplicateVerifier.Candidate(newcomer: incoming.order[probe], slot: slot))
    }
    return found
  }

  /// Adds the lines of one lane that were just appended at `start`.
  func remember(
    _ incoming: IncomingKeys, _ lines: WriteBatch.LaneLines, _ lane: Lane, _ start: Position,
    time: Instant
  ) throws(Fault) {
    // The lane may have rolled to a segment in which a copied queue already had lines: the index
    // must read those first.
    let covered = state.covered[lane]
    guard
      start.segment == covered.segment
        ? start.offset == covered.offset : start.offset == 0
    else { return }
    var slots: [Slot] = []
    slots.reserveCapacity(lines.lines.count)
    for line in lines.lines {
      let print = incoming.print(ofReceipt: line.receipt)
      let offset = start.offset + line.start
      slots.append(Slot(print.content, lane, start.segment, offset))
      if let key = print.key { slots.append(Slot(key, lane, start.segment, offset)) }
    }
    try insert(
      slots, times: time...time, lane,
      upTo: Covered(segment: start.segment, offset: start.offset + lines.text.count))
  }

  typealias Covered = IndexState.Covered
}
