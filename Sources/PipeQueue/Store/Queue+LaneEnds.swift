internal import PipeIO
internal import PipeTime

// The ends of the lanes, and the repair of ends that are missing, damaged, or from a copy.
extension Queue {
  /// The ends of the lanes: everything before them is on disk. If the name of an end is missing,
  /// the end is read from the segments.
  func ends() throws(Fault) -> LaneEnds {
    let listing = try endListing()
    if listing.isComplete { return LaneEnds { listing[$0]! } }
    let names = try listNow().names
    return try LaneEnds { (lane) throws(Fault) in
      if let laneEnd = listing[lane] { return laneEnd }
      return try survey(lane, from: nil, names)
    }
  }

  /// Lists the ends. A listing during a rename can miss a name, so it is repeated up to 100 times
  /// while a name is missing.
  func endListing() throws(Fault) -> LaneEndListing {
    do throws(Fault) {
      var listing = try LaneEndListing(end, older: isOlder)
      for _ in 0..<100 where !listing.isComplete {
        if isRemoved || end.isRemoved || root.lacks(Settings.fileName) {
          throw Queue.removed(path)
        }
        listing = try LaneEndListing(end, older: isOlder)
      }
      return listing
    } catch {
      throw isRemoved || end.isRemoved ? Queue.removed(path) : error
    }
  }

  /// Ends after which lines may be stored. Ends that are missing, damaged, or of another directory
  /// are replaced first. Call under the lock of end/.
  func soundEnds() throws(Fault) -> LaneEnds {
    var listing = try endListing()
    if let ends = sound(listing) { return ends }
    try repair(listing)
    listing = try endListing()
    return try LaneEnds { (lane) throws(Fault) in
      if let laneEnd = listing[lane] { return laneEnd }
      throw Fault(.inputOutput, "\(printable(end.path)): the end of \(lane.name) is missing")
    }
  }

  /// nil unless each lane has an end of this directory.
  func sound(_ listing: LaneEndListing) -> LaneEnds? {
    guard Lane.allCases.allSatisfy({ listing[$0]?.seal == seal }) else { return nil }
    return LaneEnds { listing[$0]! }
  }

  /// `soundEnds` for a process that stores no line: it waits for the lock of end/ only if an end has
  /// to be replaced.
  func makeSound() throws(Fault) -> LaneEnds {
    if let ends = sound(try endListing()) { return ends }
    try lockEnd()
    defer { unlockEnd() }
    return try soundEnds()
  }

  /// Transition: repair
  private func repair(_ listing: LaneEndListing) throws(Fault) {
    let names = try namesNow()
    var laneEnds: [LaneEnd] = []
    for lane in Lane.allCases where listing[lane]?.seal != seal {
      laneEnds.append(try survey(lane, from: listing[lane], names))
    }
    // It is not known which parts of a copy are on disk.
    try root.flushFileSystem()
    for laneEnd in laneEnds {
      let lane = laneEnd.lane.name
      if laneEnd.position.offset == 0 {
        _ = try beginSegment(laneEnd.lane, laneEnd.position.segment)
      }
      if let old = listing[laneEnd.lane] {
        // The end of a copy, or of an older format.
        _ = try end.rename(old.text, to: laneEnd.text)
      } else {
        try Queue.touch(laneEnd.text, in: end)
        note(
          "\(printable(end.path)): the end of \(lane) was missing or damaged;"
            + " recovered from its segments")
      }
    }
    for name in listing.damaged {
      if let marked = try end.putAside(name) {
        note(
          "\(printable(end.path))/\(printable(name)): is not the end of a lane;"
            + " renamed to \(printable(marked))")
      }
    }
    try end.flush()
  }

  /// Raises the ends above the numbers of all names in now/, so that no future item gets such a
  /// number: names that reach further are from a later time than the segments.
  /// Step of: repair
  func raiseEnds() throws(Fault) {
    try lockEnd()
    defer { unlockEnd() }
    let ends = try soundEnds()
    let names = try namesNow()
    for lane in Lane.allCases {
      let laneEnd = try survey(lane, from: ends[lane], names)
      guard ends[lane] < laneEnd else { continue }
      try root.flushFileSystem()
      if laneEnd.position.offset == 0 { _ = try beginSegment(lane, laneEnd.position.segment) }
      _ = try end.rename(ends[lane].text, to: laneEnd.text)
      note(
        "\(printable(end.path)): names in now/ are past the end of \(lane.name);"
          + " it continues at item \(laneEnd.position.number)")
    }
    try end.flush()
  }

  /// The ends, read after these names, to read their items. A power cut may undo the rename of an end, and keep
  /// later names of its items; the end is then where its segments end.
  func ends(covering names: [NowName]) throws(Fault) -> LaneEnds {
    let ends = try ends()
    if !names.reach(beyond: ends) { return ends }
    return try LaneEnds { (lane) throws(Fault) in try endOfSegments(lane, from: ends[lane]) }
  }

  /// Computes where the lane ends: after its segments, read from `laneEnd`, the furthest known end,
  /// and above all names of its items.
  private func survey(
    _ lane: Lane, from laneEnd: LaneEnd?, _ names: [NowName]
  ) throws(Fault) -> LaneEnd {
    var found = try endOfSegments(lane, from: laneEnd)
    let ahead = try furthest(lane, names)
    if ahead.number > found.position.number {
      // In a new segment: the bytes that these names locate may be other lines here.
      found.position = Position(
        number: ahead.number, segment: max(found.position.segment, ahead.segment) + 1, offset: 0)
    }
    return found
  }

  /// The end after all lines of the lane's segments, read from `laneEnd`.
  func endOfSegments(_ lane: Lane, from laneEnd: LaneEnd?) throws(Fault) -> LaneEnd {
    var found =
      laneEnd
      ?? LaneEnd(
        lane: lane, position: Position(number: 0, segment: 0, offset: 0), entries: 0, time: .epoch,
        seal: seal)
    found.seal = seal
    for segment in try segmentNumbers(lane) where segment >= found.position.segment {
      try advance(&found, through: segment)
    }
    found.position.segment = max(found.position.segment, Segment.first)
    return found
  }

  private func advance(_ laneEnd: inout LaneEnd, through segment: Int) throws(Fault) {
    guard let file = try Segment.open(self, laneEnd.lane, segment) else { return }
    let isFirst = laneEnd.position.segment == 0
    if segment > laneEnd.position.segment {
      (laneEnd.position.segment, laneEnd.position.offset) = (segment, 0)
    }
    let size = try file.size()
    var offset = laneEnd.position.offset
    let reader = SegmentReader(file, laneEnd.lane, segment)
    while offset < size {
      switch try reader.line(at: offset, limit: size) {
      case .line(let line):
        // The entries of removed segments are unknown: one is counted for each item.
        if isFirst, laneEnd.entries == 0 { laneEnd.entries = line.number }
        offset += line.length
        laneEnd.position.offset = offset
        laneEnd.position.number = max(laneEnd.position.number, line.number + line.items)
        laneEnd.entries += 1
        laneEnd.time = max(laneEnd.time, line.time)
      case .damaged(let until): offset = until
      case .end: return
      }
    }
  }

  /// Numbers of the segments that exist, ascending.
  func segmentNumbers(_ lane: Lane) throws(Fault) -> [Int] {
    guard let groups = try Directory.open("segments/\(lane.name)", in: root) else { return [] }
    var found: [Int] = []
    for group in try groups.names().filter(isNumber) {
      guard let directory = try Directory.open(group, in: groups) else { continue }
      found += try directory.names().filter(isNumber).compactMap { Int($0) }
    }
    return found.sorted()
  }

  // Other names do not belong to pipe. A segment has 6 digits, or more if it needs them.
  private func isNumber(_ name: String) -> Bool {
    name.utf8.count <= 15 && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  // The number after all items in names or the register, and the highest segment of these names.
  private func furthest(
    _ lane: Lane, _ names: [NowName]
  ) throws(Fault) -> (number: Int, segment: Int) {
    var ranges = names.map(\.range).filter { $0.lane == lane }
    for kind in SideKind.allCases {
      guard let last = try shards(kind, lane).last else { continue }
      ranges += try namesAside(kind, lane, last).map(\.range)
    }
    var number = ranges.map(\.to.number).max() ?? 0
    try Register(root).forEach(lane) { first, items in
      number = max(number, (Register.numbers(first, items).last ?? -1) + 1)
    }
    return (number, ranges.map(\.to.segment).max() ?? 0)
  }
}

/// The end of each lane; nil if its name is missing or damaged.
struct LaneEndListing {
  private(set) var laneEnds = PerLane<LaneEnd?>.repeating(nil)
  /// Names that begin like ends but are invalid, unchanged.
  private(set) var damaged: [String] = []

  subscript(lane: Lane) -> LaneEnd? { laneEnds[lane] }

  var isComplete: Bool { Lane.allCases.allSatisfy { laneEnds[$0] != nil } }

  /// A listing during a rename can miss the name or show both; of two, the further one counts.
  init(_ directory: Directory, older: Bool) throws(Fault) {
    try directory.forEachName { name in
      guard let laneEnd = LaneEnd(name, older: older) else {
        if DamagedNames.shouldBe(name) { damaged.append(String(systemBytes: Array(name))) }
        return
      }
      laneEnds[laneEnd.lane] = laneEnds[laneEnd.lane].map { max($0, laneEnd) } ?? laneEnd
    }
  }
}
