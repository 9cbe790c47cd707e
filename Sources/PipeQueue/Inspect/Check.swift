internal import CPipeIO
internal import Glibc
package import PipeIO

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
    let ends = try ends(covering: listing.names)
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
  func markedNames() throws(Fault) -> [String] {
    var found: [String] = []
    for part in ["now", "end"] {
      guard let directory = try Directory.open(part, in: root) else { continue }
      try directory.forEachName { text in
        if DamagedNames.isMarked(text), DamagedNames.mayBe(text) {
          found.append(part + "/" + String(systemBytes: Array(text)))
        }
      }
    }
    return found
  }

  /// Names in later/ and dead/ that give no state of an item of their directory, and files in the place of
  /// their directories.
  func damagedNamesAside() throws(Fault) -> [String] {
    var found: [String] = []
    for kind in SideKind.allCases {
      for lane in Lane.allCases {
        let parent = "\(kind.rawValue)/\(lane.name)"
        guard isDirectory(parent) else {
          if root.has(parent) { found.append(parent) }
          continue
        }
        for shard in try shards(kind, lane) {
          let path = kind.path(lane, shard)
          guard isDirectory(path), let directory = try Directory.open(path, in: root) else {
            if root.has(path) { found.append(path) }
            continue
          }
          try directory.forEachName { text in
            // Other names do not belong to pipe.
            guard text[0] &- 0x30 < 10 || DamagedNames.mayBe(text) else { return }
            let name = SideName.parse(text, kind, lane, older: isOlder)
            if name?.shard != shard {
              found.append(path + "/" + String(systemBytes: Array(text)))
            }
          }
        }
      }
    }
    return found
  }

  private func isDirectory(_ path: String) -> Bool {
    root.status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
  }

  /// What the names in later/ and dead/ of a lane ask of others: items that the register has to list, and
  /// early ones that are above the early name. `withReady`: also items that no consumer has reached, which a
  /// killed `cancel` or `change` need not have listed.
  func claimsAside(
    _ map: LaneMap, _ early: EarlyHint?, withReady: Bool
  ) throws(Fault) -> (unlisted: [ItemRange], above: [ItemRange]) {
    let lane = map.lane
    let done = map.final(.done)
    let untouched = settings.hasEarlyParking ? map.untouched : []
    let limit = early?.limits[lane] ?? 0
    var (unlisted, above): ([ItemRange], [ItemRange]) = ([], [])
    for kind in SideKind.allCases {
      for shard in try shards(kind, lane) {
        let names = try namesAside(kind, lane, shard)
        guard let last = names.last else { continue }
        let numbers = names[0].range.from.number..<last.range.to.number
        let listed = Set(try Register(root).items(lane, numbers))
        for name in names {
          let range = name.range
          let isEarly = name.isEarly || name.kind == .later && untouched.containsOne(with: range)
          if isEarly, range.to.number > limit { above.append(range) }
          let isDone = done.containsOne(with: range)
          let isMeant = isDone || withReady && isEarly
          if isMeant, !listed.isSuperset(of: range.numbers) { unlisted.append(range) }
        }
      }
    }
    return (unlisted, above)
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
          "byte \(range.from.offset): \(countedItems(range.count)) lost (pipe list --state lost)",
          isLoss: true))
    }
    try checkAside(map, listing.early, found)
    let settled = ItemRange.merged(map.names.filter { !$0.isAgain }.map(\.range))
    try readLines(end, map.undone, hasRead) { (fault) throws(Fault) in
      switch fault {
      case .missing(let segment):
        found(
          Finding(
            Segment.path(lane, segment),
            "is missing; restore it, or give up its items with --repair"))
      case .strange(let segment):
        found(Finding(Segment.path(lane, segment), "is not a regular file"))
      case .short(let segment, let size):
        found(
          Finding(
            Segment.path(lane, segment),
            "ends at byte \(size), but the lane ends at \(end.position.offset)"))
      case .damaged(let segment, let bytes, let id):
        // A copy in quarantine/ means that it was reported.
        let copy = "quarantine/" + Queue.quarantineName(lane, segment, bytes)
        if root.size(of: copy) == bytes.count { return }
        let entry = id.map { " of entry \($0.text)" } ?? ""
        found(
          Finding(
            Segment.path(lane, segment),
            "byte \(bytes.lowerBound): \(bytes.count) damaged bytes\(entry)"))
      case .gap(let range):
        let open = try withoutPassedOver(range.removing(settled), listing.early)
        let count = open.reduce(0) { $0 + $1.count }
        if count > 0 {
          found(
            Finding(
              Segment.path(lane, range.from.segment),
              "byte \(range.from.offset): \(countedItems(count)) without an intact line, which will be lost"
            ))
        }
      }
    }
  }
}

extension Queue {
  private func checkAside(
    _ map: LaneMap, _ early: EarlyHint?, _ found: (Finding) -> Void
  ) throws(Fault) {
    // Without a lock first: items on their way between now/, later/ and dead/ may seem to be nowhere.
    if try findingsAside(map, early).isEmpty { return }
    guard let later = try Directory.open(SideKind.later.rawValue, in: root) else { return }
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    if try findingsAside(map.lane, try listingNow()).isEmpty { return }
    // A process that cancels items that no consumer has reached has only the lock of now/, which consumers wait
    // for: taken last, when there is probably something to find.
    try lockNow(exclusive: false)
    defer { unlockNow() }
    for finding in try findingsAside(map.lane, try listNow()) { found(finding) }
  }

  private func findingsAside(_ lane: Lane, _ listing: NowListing) throws(Fault) -> [Finding] {
    let end = try ends(covering: listing.names)[lane].position
    return try findingsAside(LaneMap(lane, end: end, names: listing.names), listing.early)
  }

  private func findingsAside(_ map: LaneMap, _ early: EarlyHint?) throws(Fault) -> [Finding] {
    let lane = map.lane
    var findings: [Finding] = []
    var unfiled = 0
    try forEachUnfiled(lane) { unfiled += $0.count }
    if unfiled > 0 {
      let text = "\(countedItems(unfiled)) ready again, without a name in later/ or dead/"
      findings.append(Finding("register/" + lane.name, text))
    }
    let (unlisted, above) = try claimsAside(map, early, withReady: false)
    if !unlisted.isEmpty {
      let text =
        "not listed: \(countedItems(unlisted.items)) of later/ and dead/"
      findings.append(Finding("register/" + lane.name, text))
    }
    if !above.isEmpty {
      let text =
        "the early name is missing: cancelled or delayed, and ready again: \(countedItems(above.items)) of \(lane.name)"
      findings.append(Finding("now/", text))
    }
    return findings
  }
}

/// `1 item`, `3 items`.
func countedItems(_ count: Int) -> String { count == 1 ? "1 item" : "\(count) items" }

/// What is wrong with the segments of a lane.
enum LaneFault {
  case missing(segment: Int)
  /// Not a regular file.
  case strange(segment: Int)
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
  func segmentsNeeded(
    _ end: LaneEnd, _ undone: [ItemRange]
  ) throws(Fault) -> ClosedRange<Int> {
    let last = end.position.segment
    let existing = try segmentNumbers(end.lane).first { $0 <= last }
    var first = min(existing ?? .max, undone.first?.from.segment ?? last)
    for kind in SideKind.allCases { first = min(first, try firstAside(kind, end.lane) ?? last) }
    return first...max(first, last)
  }

  // Another process may prune while this one reads.
  private func isPruned(_ segment: Int, _ lane: Lane) throws(Fault) -> Bool {
    let end = try ends()[lane]
    let undone = LaneMap(lane, end: end.position, names: try namesNow()).undone
    return try segment < segmentsNeeded(end, undone).lowerBound
  }

  /// Reads all lines of a lane up to its end. `undone`: its items that are not final.
  func readLines(
    _ end: LaneEnd, _ undone: [ItemRange], _ hasRead: (Int) -> Void,
    _ found: (LaneFault) throws(Fault) -> Void
  ) throws(Fault) {
    let segments = try segmentsNeeded(end, undone)
    // Where the next item should be; nil: unknown, because the lines before are pruned.
    var next = undone.first.map(\.from).flatMap { $0.segment == segments.lowerBound ? $0 : nil }
    if segments.lowerBound == Segment.first { next = .origin }
    // Zeros since the last line: of done items if `prune` punched them.
    var zeros: [LaneFault] = []
    func skip(to place: Position) throws(Fault) {
      let gap = next.map { ItemRange(lane: end.lane, from: $0, to: place) }
      if let gap, gap.count <= 0 { return }
      defer { zeros = [] }
      if let gap, !zeros.isEmpty, try !isNeeded(gap, undone) { return }
      for fault in zeros { try found(fault) }
      if let gap { try found(.gap(gap)) }
    }
    for segment in segments {
      let isLast = segment == end.position.segment
      if root.isStrange(Segment.path(end.lane, segment)) {
        try found(.strange(segment: segment))
        continue
      }
      guard let file = try Segment.open(self, end.lane, segment) else {
        if isLast, end.position.offset == 0 { continue }
        if try isPruned(segment, end.lane) {
          next = nil
        } else {
          try found(.missing(segment: segment))
        }
        continue
      }
      // The disk reads the next segment while this one is checked.
      (try? Segment.open(self, end.lane, segment + 1))??.prefetch()
      let size = try file.size()
      if isLast, size < end.position.offset { try found(.short(segment: segment, size: size)) }
      let limit = isLast ? min(size, end.position.offset) : size
      let reader = SegmentReader(file, end.lane, segment)
      var (offset, reported) = (0, 0)
      while offset < limit {
        switch try reader.line(at: offset, limit: limit) {
        case .line(let line):
          let place = Position(number: line.number, segment: segment, offset: offset)
          try skip(to: place)
          offset += line.length
          next = Position(
            number: max(line.number + line.items, next?.number ?? 0), segment: segment,
            offset: offset)
        case .damaged(let until):
          let id = try file.entryID(ofLineAt: offset)
          let fault = LaneFault.damaged(segment: segment, offset..<until, id: id)
          if try reader.isPunched(offset..<until) {
            zeros.append(fault)
          } else {
            try found(fault)
          }
          offset = until
        case .end: offset = limit
        }
        if offset - reported >= Queue.pieceRead || offset == limit {
          hasRead(offset - reported)
          reported = offset
        }
      }
    }
    try skip(to: end.position)
  }

  /// Whether lines of these items are needed: some are not done, or are in later/ or dead/. `undone`: as listed
  /// before; another process may have done some since, and punched their lines.
  private func isNeeded(_ range: ItemRange, _ undone: [ItemRange]) throws(Fault) -> Bool {
    if try !Register(root).items(range.lane, range.numbers).isEmpty { return true }
    guard undone.contains(where: range.overlaps) else { return false }
    let listing = try listingNow()
    let end = try ends(covering: listing.names)[range.lane].position
    let map = LaneMap(range.lane, end: end, names: listing.names)
    return map.undone.contains(where: range.overlaps)
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
