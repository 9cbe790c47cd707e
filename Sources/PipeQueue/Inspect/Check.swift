package import PipeIO
internal import PipeTime

/// A deviation of a queue from pipe-queue(5).
package struct Finding {
  /// Relative to the queue.
  package let position: String
  package let text: String
  /// Whether it names items that are lost, which no repair brings back.
  package let isLoss: Bool

  init(_ position: String, _ text: String, isLoss: Bool = false) {
    (self.position, self.text, self.isLoss) = (position, text, isLoss)
  }
}

extension Queue {
  /// Checks the directories, both copies of the format, the names in now/, end/, later/ and dead/, the
  /// register, and every line. Changes nothing, and calls `found` with each deviation. In a queue that is in
  /// use it may miss what changes meanwhile, but reports nothing that is correct. `hasRead` gets the bytes of
  /// each piece of a segment that was read.
  package func check(
    hasRead: (Int) -> Void = { _ in }, _ found: (Finding) -> Void
  ) throws(Fault) {
    for part in Queue.parts where root.lacks(part) {
      found(Finding(part + "/", "is missing; the next command that needs it creates it"))
    }
    checkFormat(found)
    let listing = try listingNow()
    let laneEnds = try endListing()
    let ends = try ends()
    for name in laneEnds.damaged { found(Finding("end/" + name, "the name is damaged")) }
    for name in listing.damaged { found(Finding("now/" + name, "the name is damaged")) }
    for name in try markedNames() {
      found(Finding(name, "a damaged name, kept for inspection"))
    }
    for name in try damagedNamesAside() { found(Finding(name, "the name is damaged")) }
    for lane in Lane.allCases {
      if laneEnds[lane] == nil {
        found(Finding("end/", "the end of \(lane.name) is missing; it is read from the segments"))
      }
      try check(lane, ends[lane], listing, hasRead, found)
    }
  }

  private func checkFormat(_ found: (Finding) -> Void) {
    let files = [Settings.fileName, Settings.copyName]
    for name in files where Settings.isDamaged(name, root) {
      found(
        Finding(
          name, "is missing or damaged; the other of \(files.joined(separator: " and ")) is used"))
    }
  }

  /// Names in now/ and end/ that were put aside.
  fileprivate func markedNames() throws(Fault) -> [String] {
    var found: [String] = []
    for part in ["now", "end"] {
      guard let directory = try Directory.open(part, in: root) else { continue }
      found += try directory.names().filter(DamagedNames.isMarked).map { part + "/" + $0 }
    }
    return found
  }

  /// Names in later/ and dead/ that give no state of an item of their directory.
  fileprivate func damagedNamesAside() throws(Fault) -> [String] {
    var found: [String] = []
    for kind in SideKind.allCases {
      for lane in Lane.allCases {
        for shard in try shards(kind, lane) {
          let path = kind.path(lane, shard)
          guard let directory = try? Directory.open(path, in: root) else { continue }
          try directory.forEachName { text in
            let name = SideName.parse(text, kind, lane, older: isOlder)
            if name?.shard != shard {
              found.append(path + "/" + String(decoding: text, as: UTF8.self))
            }
          }
        }
      }
    }
    return found
  }

  private func check(
    _ lane: Lane, _ end: LaneEnd, _ listing: NowListing, _ hasRead: (Int) -> Void,
    _ found: (Finding) -> Void
  ) throws(Fault) {
    let map = LaneMap(lane, end: end.position, names: listing.names)
    for name in listing.names
    where name.range.lane == lane && name.range.to.number > end.position.number {
      found(Finding("now/" + name.text, "extends past the end of its lane"))
    }
    for range in map.final(.lost) {
      found(
        Finding(
          Segment.path(lane, range.from.segment),
          "byte \(range.from.offset): \(items(range.count)) lost (pipe list --state lost)",
          isLoss: true))
    }
    var unfiled = 0
    try forEachUnfiled(lane) { unfiled += $0.count }
    if unfiled > 0 {
      found(
        Finding(
          "register/" + lane.name,
          "\(items(unfiled)) ready again, without a name in later/ or dead/"))
    }
    try readLines(end, map.undone, hasRead) { (fault) throws(Fault) in
      switch fault {
      case .missing(let segment):
        found(
          Finding(
            Segment.path(lane, segment),
            "is missing; restore it, or create an empty file to give up its items"))
      case .short(let segment, let size):
        found(
          Finding(
            Segment.path(lane, segment),
            "ends at byte \(size), but the lane ends at \(end.position.offset)"))
      case .damaged(let segment, let bytes, let id):
        // A copy in quarantine/ means that it was reported.
        if root.has("quarantine/" + Queue.quarantineName(lane, segment, bytes)) { return }
        let entry = id.map { " of entry \($0.text)" } ?? ""
        found(
          Finding(
            Segment.path(lane, segment),
            "byte \(bytes.lowerBound): \(bytes.count) damaged bytes\(entry)"))
      case .gap(let range):
        let settled = map.names.filter { !$0.isAgain }.map(\.range)
        let open = try withoutEarlyLetters(
          range.removing(ItemRange.merged(settled)), listing.early)
        let count = open.reduce(0) { $0 + $1.count }
        if count > 0 {
          found(
            Finding(
              Segment.path(lane, range.from.segment),
              "byte \(range.from.offset): \(items(count)) without an intact line, which will be lost"
            ))
        }
      }
    }
  }
}

private func items(_ count: Int) -> String { count == 1 ? "1 item" : "\(count) items" }

/// What is wrong with the segments of a lane.
private enum LaneFault {
  case missing(segment: Int)
  /// The last segment ends before its lane.
  case short(segment: Int, size: Int)
  /// `id`: of the entry, if its column can be read.
  case damaged(segment: Int, Range<Int>, id: EntryID?)
  /// No intact line holds these items.
  case gap(ItemRange)
}

extension Queue {
  private static let pieceRead = 1 << 20

  /// The segments of a lane that should exist: from the first that does, or that has an undone item.
  fileprivate func segmentsNeeded(
    _ end: LaneEnd, _ undone: [ItemRange]
  ) throws(Fault) -> ClosedRange<Int> {
    let last = end.position.segment
    let existing = try segmentNumbers(end.lane).first { $0 <= last }
    let first = min(existing ?? .max, undone.first?.from.segment ?? last)
    return first...max(first, last)
  }

  /// Reads all lines of a lane up to its end. `undone`: its items that are not final.
  fileprivate func readLines(
    _ end: LaneEnd, _ undone: [ItemRange], _ hasRead: (Int) -> Void,
    _ found: (LaneFault) throws(Fault) -> Void
  ) throws(Fault) {
    let segments = try segmentsNeeded(end, undone)
    // Where the next item should be; nil: unknown, because the lines before are pruned.
    var next = undone.first.map(\.from).flatMap { $0.segment == segments.lowerBound ? $0 : nil }
    if segments.lowerBound == Segment.first { next = .origin }
    for segment in segments {
      let isLast = segment == end.position.segment
      guard let file = try Segment.open(self, end.lane, segment) else {
        if !isLast || end.position.offset > 0 { try found(.missing(segment: segment)) }
        continue
      }
      // The disk reads the next segment while this one is checked.
      try Segment.open(self, end.lane, segment + 1)?.prefetch()
      let size = try file.size()
      if isLast, size < end.position.offset { try found(.short(segment: segment, size: size)) }
      let limit = isLast ? min(size, end.position.offset) : size
      let reader = SegmentReader(file, end.lane, segment)
      var (offset, reported) = (0, 0)
      while offset < limit {
        switch try reader.line(at: offset, limit: limit) {
        case .line(let line):
          let place = Position(number: line.number, segment: segment, offset: offset)
          if let next, next.number < place.number {
            try found(.gap(ItemRange(lane: end.lane, from: next, to: place)))
          }
          offset += line.length
          next = Position(
            number: max(line.number + line.items, next?.number ?? 0), segment: segment,
            offset: offset)
        case .damaged(let until):
          let id = try file.entryID(ofLineAt: offset)
          try found(.damaged(segment: segment, offset..<until, id: id))
          offset = until
        case .end: offset = limit
        }
        if offset - reported >= Queue.pieceRead || offset == limit {
          hasRead(offset - reported)
          reported = offset
        }
      }
    }
    if let next, next.number < end.position.number {
      try found(.gap(ItemRange(lane: end.lane, from: next, to: end.position)))
    }
  }
}

extension Descriptor {
  fileprivate func entryID(ofLineAt offset: Int) throws(Fault) -> EntryID? {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: EntryID.length, alignment: 8)
    defer { buffer.deallocate() }
    let count = try read(into: buffer, at: offset + SegmentLine.idStart)
    return count < buffer.count ? nil : EntryID(UnsafeRawBufferPointer(buffer))
  }
}

// Repairs. Each step says nothing that it does not know: what no name covers is ready, and what no line
// holds is lost. A process killed at any call leaves a queue that the next repair completes.
extension Queue {
  /// Writes the settings again if both of their files are lost: the defaults, except that nothing is pruned.
  /// Does nothing to a directory that does not look like a queue.
  /// Step of: create
  package static func restoreFormat(
    path: String, report: (String) -> Void
  ) throws(Fault) {
    guard let root = try directory(path), root.has("segments/" + Lane.high.name) else { return }
    try lock(root, exclusive: true, report)
    defer { root.unlock() }
    guard try Settings.areLost(root) else { return }
    for name in [Settings.fileName, Settings.copyName] { _ = try root.putAside(name) }
    var settings = Settings()
    settings.retain = .days(36_500)
    // There may be some.
    settings.hasEarlyLetters = true
    try settings.put(Settings.copyName, in: root)
    try root.flush()
    try settings.put(Settings.fileName, in: root)
    try root.flush()
    report(
      "\(printable(path))/\(Settings.fileName): was lost, and so was its copy; written again with the"
        + " default settings, but nothing is pruned (see pipe init --retain)")
  }

  /// Repairs what `check` finds, and calls `report` of the queue or `repaired` with each repair.
  package func repair(_ repaired: (Finding) -> Void) throws(Fault) {
    for name in Queue.parts { _ = try part(name) }
    if [Settings.fileName, Settings.copyName].contains(where: { Settings.isDamaged($0, root) }) {
      try Queue.lock(root, exclusive: true, report)
      defer { root.unlock() }
      try settings.replace(in: root)
      repaired(Finding(Settings.copyName, "written again"))
    }
    let claimer = Claimer(self)
    try claimer.begin()
    try keepDamagedNames(repaired)
    if try listingNow().reaches(beyond: ends()) { try raiseEnds() }
    for lane in Lane.allCases {
      try mendSegments(lane, repaired)
      try giveUp(lane, repaired)
    }
    _ = try claimer.ensureHint()
    _ = try claimer.returnUnfiled()
    try claimer.sync.flush()
    try now().flush()
  }

  /// Moves damaged names to quarantine/. They have no meaning, so each place is right after a crash.
  /// Step of: put aside
  private func keepDamagedNames(_ repaired: (Finding) -> Void) throws(Fault) {
    try putAsideDamaged()
    let names = try markedNames() + damagedNamesAside()
    if names.isEmpty { return }
    let quarantine = try root.subdirectory(making: "quarantine")
    for name in names {
      if let kept = try keep(name) { repaired(Finding(name, "moved to \(kept)")) }
    }
    try quarantine.flush()
    for parent in Set(names.map(Queue.parent)) { try root.existing(parent).flush() }
  }

  private func putAsideDamaged() throws(Fault) {
    try lockEnd()
    defer { unlockEnd() }
    for name in try endListing().damaged { _ = try end.putAside(name) }
    try lockNow(exclusive: true)
    defer { unlockNow() }
    try putAsideDamaged(listNow())
  }

  /// Returns where the file is then; nil if it is gone.
  /// Step of: put aside
  private func keep(_ name: String) throws(Fault) -> String? {
    // A name has at most 255 bytes.
    let flat = String(decoding: name.utf8.suffix(240), as: UTF8.self)
      .replacing("/", with: ".")
    for attempt in 0..<1000 {
      let kept = "quarantine/" + (attempt == 0 ? flat : "\(flat).\(attempt)")
      switch try root.rename(name, to: kept) {
      case .renamed: return kept
      case .missing: return nil
      case .taken: continue
      }
    }
    return nil
  }

  /// Creates missing segments, empty, and continues a lane whose last segment was cut off in the next one.
  /// Step of: repair
  private func mendSegments(_ lane: Lane, _ repaired: (Finding) -> Void) throws(Fault) {
    try lockEnd()
    defer { unlockEnd() }
    var laneEnd = try soundEnds()[lane]
    let undone = LaneMap(lane, end: laneEnd.position, names: try namesNow()).undone
    for segment in try segmentsNeeded(laneEnd, undone)
    where try Segment.open(self, lane, segment) == nil {
      _ = try beginSegment(lane, segment)
      repaired(Finding(Segment.path(lane, segment), "created again, empty"))
    }
    let last = laneEnd.position
    let size = try Segment.open(self, lane, last.segment)?.size() ?? 0
    guard size < last.offset else { return }
    let old = laneEnd.text
    laneEnd.position = Position(number: last.number, segment: last.segment + 1, offset: 0)
    _ = try beginSegment(lane, laneEnd.position.segment)
    _ = try end.rename(old, to: laneEnd.text)
    try end.flush()
    repaired(
      Finding(
        Segment.path(lane, last.segment),
        "the lane continues in \(Segment.path(lane, laneEnd.position.segment))"))
  }

  /// Copies damaged bytes to quarantine/, and makes items lost that no line holds and that are ready or wait.
  private func giveUp(_ lane: Lane, _ repaired: (Finding) -> Void) throws(Fault) {
    let laneEnd = try ends()[lane]
    let undone = LaneMap(lane, end: laneEnd.position, names: try namesNow()).undone
    var gaps: [ItemRange] = []
    try readLines(laneEnd, undone, { _ in }) { (fault) throws(Fault) in
      switch fault {
      case .damaged(let segment, let bytes, _): try quarantine(lane, segment, bytes)
      case .gap(let range): gaps.append(range)
      case .missing, .short: break
      }
    }
    try lockNow(exclusive: true)
    defer { unlockNow() }
    if gaps.isEmpty { return }
    let listing = try listNow()
    let names = listing.names.filter { $0.range.lane == lane }
    let covered = ItemRange.merged(names.map(\.range))
    let open = try withoutEarlyLetters(gaps.flatMap { $0.removing(covered) }, listing.early)
    // A consumer gives up the rest of a name that is only partly lost.
    let waiting = names.filter { name in
      name.isAgain && gaps.contains { $0.contains(name.range) }
    }
    var nowDirectory = NowDirectory(self, listing)
    for (range, name) in open.map({ ($0, nil) }) + waiting.map({ ($0.range, $0) }) {
      try nowDirectory.giveUp(range, of: name)
      repaired(
        Finding(
          Segment.path(lane, range.from.segment),
          "byte \(range.from.offset): \(items(range.count)) lost"))
    }
  }
}
