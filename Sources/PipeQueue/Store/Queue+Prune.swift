internal import CPipeIO
internal import Glibc
package import PipeIO
internal import PipeTime

/// What pruning removed, and why the rest is kept.
package struct Pruned {
  /// A number of segments, and their bytes.
  package struct Amount {
    package var segments = 0
    package var bytes = 0

    mutating func add(_ size: Int) {
      segments += 1
      bytes += size
    }
  }

  /// Why the segments of a lane are kept, from the oldest on.
  package enum Reason: String {
    /// An item is ready or claimed, or waits for its next attempt.
    case undone
    case later, dead
    /// All items are done, but the segments are younger than the settings retain.
    case retained
  }

  package var removed = Amount()
  /// Bytes of the kept segments that were freed: of done items between others.
  package var punched = 0
  package var kept: [(lane: Lane, amount: Amount, reason: Reason)] = []
  /// Faults of damaged lanes.
  package var faults: [Fault] = []

  package init() {}
}

extension Queue {
  /// Removes the oldest segments of a lane whose items are all done and that were last written
  /// longer ago than the settings retain. Each process that begins a segment removes a few, so that
  /// none pays for all.
  func pruneSome(_ lane: Lane, _ ends: LaneEnds) throws(Fault) {
    // The lock keeps items from coming back from later/ or dead/ meanwhile. If another process has
    // it, nothing is pruned.
    let later = try part(SideKind.later.rawValue)
    guard try later.tryLock() else { return }
    defer { later.unlock() }
    var pruned = Pruned()
    try prune(lane, ends, most: 4, &pruned)
  }

  /// Removes all segments that the settings do not retain, including those of the lane ends.
  package func prune() throws(Fault) -> Pruned {
    let later = try part(SideKind.later.rawValue)
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    var pruned = Pruned()
    for lane in Lane.allCases {
      do throws(Fault) {
        try rollDone(lane)
        try leaveEndedSegments(lane)
        try prune(lane, try ends(), most: .max, &pruned)
        try punch(lane, &pruned)
      } catch { pruned.faults.append(error) }
    }
    // Some file systems free the blocks only then.
    if pruned.removed.segments > 0 { try root.flushFileSystem() }
    return pruned
  }

  /// `most`: a bound limits the search to the oldest directory, and only the first segment that is
  /// kept is counted.
  /// Step of: prune
  private func prune(
    _ lane: Lane, _ ends: LaneEnds, most: Int, _ pruned: inout Pruned
  ) throws(Fault) {
    guard let directory = try Directory.open("segments/\(lane.name)", in: root) else { return }
    let needed = try oldestNeeded(lane, ends)
    var sweep = Sweep(needed, before: Clock.now() - settings.retain, most)
    let groups = try directory.names().filter(decimalName).sorted()
    for group in most < .max ? groups.prefix(1) : groups[...] {
      guard let within = try Directory.open(group, in: directory) else { continue }
      try sweep.go(through: within, of: self, lane, try within.names().filter(decimalName).sorted())
      if sweep.kept.segments == 0 { try directory.removeDirectory(group) }
    }
    pruned.removed.segments += sweep.removed.segments
    pruned.removed.bytes += sweep.removed.bytes
    if sweep.kept.bytes > 0 { pruned.kept.append((lane, sweep.kept, sweep.reason)) }
    try pruneDropped(lane, needed.segment)
  }

  // A power cut must not undo an acknowledgement or a drop whose segment is gone. The process that dropped a letter
  // may have died before its flush. Not the whole file system: a writer that begins a segment would wait
  // for what other programs write.
  fileprivate func flushFinalStates(_ lane: Lane, before segment: Int) throws(Fault) {
    try now().flush()
    for shard in try shards(.dead, lane) {
      let names = try namesAside(.dead, lane, shard)
      guard let first = names.first else { continue }
      if first.range.from.segment >= segment { return }
      if names.contains(where: \.isDropped) { try flushAside(.dead, names.map(\.range)) }
    }
  }

  // Removes the names that `drop` left of a hundred items, once the segments before them are gone.
  private func pruneDropped(_ lane: Lane, _ oldest: Int) throws(Fault) {
    guard let shard = try shards(.dead, lane).first,
      let file = try Segment.open(self, lane, oldest),
      try Segment.open(self, lane, oldest - 1) == nil,
      case .line(let line) = try SegmentReader(file, lane, oldest).line(at: 0, limit: .max),
      (shard + 1) * SideKind.width <= line.number
    else { return }
    let names = try namesAside(.dead, lane, shard)
    guard names.allSatisfy(\.isDropped) else { return }
    try removeAside(names)
    try dropEmpty(names)
  }

  // Other names do not belong to pipe.
  private func decimalName(_ name: String) -> Bool {
    name.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private func oldestNeeded(_ lane: Lane, _ ends: LaneEnds) throws(Fault) -> Sweep.Needed {
    let end = ends[lane].position
    let line = LaneMap(lane, end: end, names: try namesNow())
    var oldest: Sweep.Needed = (end.segment, .retained)
    if let undone = line.undone.first { oldest = (undone.from.segment, .undone) }
    for kind in SideKind.allCases {
      if let segment = try firstAside(kind, lane),
        segment < oldest.segment || oldest.reason == .retained
      {
        oldest = (segment, kind == .dead ? .dead : .later)
      }
    }
    return oldest
  }

  /// Rolls a lane whose segments are no longer needed: its end moves to an empty segment, and the
  /// one before can be pruned like all others. If that is not possible, the end stays.
  /// Transition: prune last
  private func rollDone(_ lane: Lane) throws(Fault) {
    let seen = try ends()
    let position = seen[lane].position
    guard position.offset > 0, try oldestNeeded(lane, seen).reason == .retained,
      let written = root.modified(Segment.path(lane, position.segment)),
      written < Clock.now() - settings.retain
    else { return }
    try lockEnd()
    defer { unlockEnd() }
    let now = try soundEnds()
    // Another process may be storing lines after the end; the end must not pass them.
    guard now[lane] == seen[lane], let tail = try tail(now[lane], known: nil),
      tail.laneEnd == now[lane]
    else { return }
    _ = try roll(lane, from: tail, now[lane])
  }

  // Moves the ends of final names on to the next segment. A name may end after the last line of a
  // segment; the next item is then in the next segment, but a reader would open this one.
  private func leaveEndedSegments(_ lane: Lane) throws(Fault) {
    // The renames are on disk before the segment is removed.
    if try moveEnded(lane, try ends()[lane].position) { try now().flush() }
  }

  /// Step of: prune
  private func moveEnded(_ lane: Lane, _ end: Position) throws(Fault) -> Bool {
    try lockNow(exclusive: true)
    defer { unlockNow() }
    var isMoved = false
    for name in try listNow().names where name.range.lane == lane && name.isFinal {
      var moved = name
      while moved.range.to.segment < end.segment,
        let size = root.size(of: Segment.path(lane, moved.range.to.segment)),
        moved.range.to.offset >= size
      {
        moved.range.to.segment += 1
        moved.range.to.offset = 0
      }
      if moved != name, try rename(name, to: moved) { isMoved = true }
    }
    return isMoved
  }

  /// Segment of the first item in later/ or dead/ that is not dropped.
  func firstAside(_ kind: SideKind, _ lane: Lane) throws(Fault) -> Int? {
    for shard in try shards(kind, lane) {
      let names = try namesAside(kind, lane, shard)
      if let first = names.first(where: { !$0.isDropped }) { return first.range.from.segment }
    }
    return nil
  }
}

// The oldest segment that is needed keeps all later ones. The disk space of the done items in them is freed
// nevertheless.
extension Queue {
  /// Frees the pages of the kept segments of a lane that have only lines of done items, where `--retain` does not
  /// keep them. Other lines, the first line of each segment and the last segment with a line stay. Requires the
  /// lock of later/.
  /// Transition: punch
  private func punch(_ lane: Lane, _ pruned: inout Pruned) throws(Fault) {
    guard let kept = pruned.kept.last, kept.lane == lane, kept.reason != .retained else { return }
    var isFlushed = false
    for (segment, ranges) in try doneLines(lane) {
      guard let written = root.modified(Segment.path(lane, segment)),
        written < Clock.now() - settings.retain,
        let file = try Segment.open(self, lane, segment, writable: true)
      else { continue }
      for bytes in try pages(of: ranges, SegmentReader(file, lane, segment)) {
        if file.mayHaveData(in: bytes) {
          // A power cut must undo neither an acknowledgement nor the end of a letter whose line is gone.
          if !isFlushed { try root.flushFileSystem() }
          isFlushed = true
          guard let freed = try file.punchHole(bytes) else { return }
          pruned.punched += freed
        }
        pruned.kept[pruned.kept.count - 1].amount.bytes -= bytes.count
      }
    }
  }

  /// The ranges of done items that are neither in later/ nor in dead/, by segment. Each is within its segment,
  /// where nil means from its start or to its end.
  private func doneLines(_ lane: Lane) throws(Fault) -> [(Int, [(Position?, Position?)])] {
    var hasUnfiled = false
    try forEachUnfiled(lane) { hasUnfiled = hasUnfiled || !$0.isEmpty }
    // They are ready again, but only the register says so.
    if hasUnfiled { return [] }
    let names = try namesNow()
    let end = try ends()[lane].position
    let map = LaneMap(lane, end: end, names: names)
    var needed = map.undone
    for kind in SideKind.allCases {
      for shard in try shards(kind, lane) {
        needed += try namesAside(kind, lane, shard).filter { !$0.isDropped }.map(\.range)
      }
    }
    let (others, last) = (ItemRange.merged(needed), end.offset > 0 ? end.segment : end.segment - 1)
    let done = ItemRange.merged(map.final(.done) + map.final(.dropped))
    var found: [(Int, [(Position?, Position?)])] = []
    for range in done.flatMap({ $0.removing(others) }) {
      let until = min(range.to.segment + 1, last)
      guard range.from.segment < until else { continue }
      for segment in range.from.segment..<until {
        let from = segment == range.from.segment ? range.from : nil
        let to = segment == range.to.segment ? range.to : nil
        if found.last?.0 == segment {
          found[found.count - 1].1.append((from, to))
        } else {
          found.append((segment, [(from, to)]))
        }
      }
    }
    return found
  }

  /// The whole pages in the lines of these items.
  private func pages(
    of ranges: [(from: Position?, to: Position?)], _ reader: SegmentReader
  ) throws(Fault) -> [Range<Int>] {
    let size = try reader.finalSize()
    guard case .line(let first) = try reader.line(at: 0, limit: size) else { return [] }
    let start = first.length
    var found: [Range<Int>] = []
    for range in ranges {
      var from = range.from?.offset ?? 0
      if let place = range.from {
        switch try reader.line(at: from, limit: size) {
        // The entry has other items before these.
        case .line(let line): if line.number < place.number { from += line.length }
        case .damaged(let until): if try !reader.isPunched(from..<until) { from = until }
        case .end: continue
        }
      }
      let page = Segment.page
      from = (max(from, start) + page - 1) / page * page
      let to = (range.to?.offset ?? size) / page * page
      if from < to { found.append(from..<to) }
    }
    return found
  }
}

/// One pass through the segments of a lane, in order from the oldest, so that the remaining ones
/// have no gap.
private struct Sweep {
  typealias Needed = (segment: Int, reason: Pruned.Reason)

  private let needed: Needed
  private let limit: Instant
  private let most: Int
  private(set) var removed = Pruned.Amount()
  private(set) var kept = Pruned.Amount()
  private(set) var reason: Pruned.Reason

  init(_ needed: Needed, before limit: Instant, _ most: Int) {
    self.needed = needed
    self.limit = limit
    self.most = most
    reason = needed.reason
  }

  /// Step of: prune
  mutating func go(
    through directory: Directory, of queue: Queue, _ lane: Lane, _ names: [String]
  ) throws(Fault) {
    for name in names {
      let size = directory.size(of: name) ?? 0
      if try remove(name, in: directory, of: queue, lane) {
        removed.add(size)
        continue
      }
      kept.add(size)
      if most < .max { return }
    }
  }

  /// A segment that is not needed is kept only if it is too young.
  /// Transition: prune
  private mutating func remove(
    _ name: String, in directory: Directory, of queue: Queue, _ lane: Lane
  ) throws(Fault) -> Bool {
    guard kept.segments == 0, removed.segments < most, let number = Int(name) else { return false }
    guard number < needed.segment else { return false }
    guard let written = directory.modified(name), written < limit else {
      reason = .retained
      return false
    }
    if removed.segments == 0 { try queue.flushFinalStates(lane, before: needed.segment) }
    try queue.removeOutput(lane, number)
    try directory.removeWithBlocks(name)
    return true
  }
}
