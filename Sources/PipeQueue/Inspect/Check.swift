package import PipeIO

/// A deviation of a queue from pipe-queue(5).
package struct Finding {
  /// Relative to the queue.
  package let position: String
  package let text: String

  init(_ position: String, _ text: String) {
    self.position = position
    self.text = text
  }
}

extension Queue {
  /// Checks the directories, both copies of the format, the names in now/ and end/, the register,
  /// and every line. Changes nothing, and calls `found` with each deviation. In a queue that is in
  /// use it may miss what changes meanwhile, but reports nothing that is correct.
  package func check(_ found: (Finding) -> Void) throws(Fault) {
    for part in Queue.parts where root.lacks(part) {
      found(Finding(part + "/", "is missing; the next command that needs it creates it"))
    }
    try checkFormat(found)
    let listing = try listingNow()
    let laneEnds = try endListing()
    let ends = try ends()
    for name in laneEnds.damaged { found(Finding("end/" + name, "the name is damaged")) }
    for name in listing.damaged { found(Finding("now/" + name, "the name is damaged")) }
    for directory in ["now", "end"] {
      guard let directory = try Directory.open(directory, in: root) else { continue }
      for name in try directory.names() where name.hasSuffix(".bad") {
        found(
          Finding(
            "\(directory.path.split(separator: "/").last ?? "")/\(name)",
            "a damaged name, kept for inspection"))
      }
    }
    for lane in Lane.allCases {
      if laneEnds[lane] == nil {
        found(Finding("end/", "the end of \(lane.name) is missing; it is read from the segments"))
      }
      try check(lane, ends[lane], listing.names, found)
    }
  }

  private func checkFormat(_ found: (Finding) -> Void) throws(Fault) {
    let files = [Settings.fileName, Settings.copyName]
    for name in files where Settings.isDamaged(name, root) {
      found(
        Finding(
          name, "is missing or damaged; the other of \(files.joined(separator: " and ")) is used"))
    }
  }

  private func check(
    _ lane: Lane, _ end: LaneEnd, _ names: [NowName], _ found: (Finding) -> Void
  ) throws(Fault) {
    let line = LaneMap(lane, end: end.position, names: names)
    for name in names where name.range.lane == lane && name.range.to.number > end.position.number {
      found(Finding("now/" + name.text, "extends past the end of its lane"))
    }
    for range in line.final(.lost) {
      found(
        Finding(
          Segment.path(lane, range.from.segment),
          "byte \(range.from.offset): \(range.count) items are lost (pipe list --state lost)"))
    }
    var unfiled = 0
    try forEachUnfiled(lane) { unfiled += $0.count }
    if unfiled > 0 {
      found(
        Finding(
          "register/" + lane.name,
          "\(unfiled) items have no name in later/ or dead/; they are ready"))
    }
    try checkLines(lane, end, line.undone, found)
  }

  private func checkLines(
    _ lane: Lane, _ end: LaneEnd, _ undone: [ItemRange], _ found: (Finding) -> Void
  ) throws(Fault) {
    let segments = try segmentNumbers(lane).filter { $0 <= end.position.segment }
    let first = min(segments.first ?? .max, undone.first?.from.segment ?? end.position.segment)
    for segment in first...max(first, end.position.segment) {
      let path = Segment.path(lane, segment)
      guard let file = try Segment.open(self, lane, segment) else {
        if segment != end.position.segment || end.position.offset > 0 {
          found(
            Finding(path, "is missing; restore it, or create an empty file to give up its items"))
        }
        continue
      }
      let size = try file.size()
      let isLast = segment == end.position.segment
      if isLast, size < end.position.offset {
        found(Finding(path, "ends at byte \(size), but the lane ends at \(end.position.offset)"))
      }
      let limit = isLast ? min(size, end.position.offset) : size
      let reader = SegmentReader(file, lane, segment)
      var offset = 0
      while offset < limit {
        switch try reader.line(at: offset, limit: limit) {
        case .line(let line): offset += line.length
        case .damaged(let until):
          found(Finding(path, "byte \(offset): \(until - offset) damaged bytes"))
          offset = until
        case .end: offset = limit
        }
      }
    }
  }
}
