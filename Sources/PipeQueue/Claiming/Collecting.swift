internal import PipeIO

// Going along a range of items and reading them from the segments.
extension Claimer {
  /// A fault keeps what was collected before it.
  func collect(_ offer: Offer, into selection: Selection, end: EndMark) throws(Fault) {
    guard selection.accepts(offer) else {
      // Items that are not to be handed out yet keep no others waiting.
      if offer.name == nil, try delay(offer.range, into: selection, end) >= offer.range.to {
        return
      }
      return selection.close()
    }
    guard let name = offer.name else {
      return try collectUntried(offer.range, into: selection, end)
    }
    var range = offer.range
    var walk = try collect(range, name, into: selection, end)
    if walk.isBeforeGap, !walk.hasTaken {
      let gap = try gap(before: range, end)
      range.from = gap.range.to
      if gap.range.count > 0 {
        guard gap.missing == nil else { return }
        return selection.lose(gap.range, of: name)
      }
      walk = try collect(range, name, into: selection, end)
    }
    // What is behind the gap comes first the next time.
    if walk.isBeforeGap { selection.close() }
  }

  private func collectUntried(
    _ range: ItemRange, into selection: Selection, _ end: EndMark
  ) throws(Fault) {
    var rest = range
    while rest.from < range.to, !selection.isFull {
      let walk = try collect(rest, nil, into: selection, end)
      rest.from = walk.place
      guard !selection.isFull, rest.from < range.to else { return }
      if walk.isBeforeGap {
        let gap = try gap(before: rest, end)
        if gap.range.count > 0, gap.missing == nil { selection.lose(gap.range, of: nil) }
        rest.from = gap.range.to
      } else {
        // What stopped it may be an entry that is not to be handed out yet.
        rest.from = try delay(rest, into: selection, end)
      }
    }
  }

  private func collect(
    _ range: ItemRange, _ name: NowName?, into selection: Selection, _ end: EndMark
  ) throws(Fault) -> Walk {
    var walk = Walk(range, selection)
    do throws(Fault) {
      while !walk.isDone {
        switch try step(range.lane, walk.place, end) {
        case .line(let line):
          if name == nil, line.isDelayed(at: selection.now) {
            walk.stop()
          } else {
            walk.take(line)
          }
        case .damaged(let until): walk.pass(damageUntil: until)
        case .end: walk.skipSegment(end)
        case nil: walk.stopAtGap()
        }
      }
    } catch {
      selection.add(walk, replacing: name)
      throw error
    }
    selection.add(walk, replacing: name)
    return walk
  }

  /// The first items of a range that no line at their place holds, up to the next that a line holds; none
  /// where a line further on holds the first of them. `missing`: a segment on the way that is not there.
  private func gap(
    before range: ItemRange, _ end: EndMark
  ) throws(Fault) -> (range: ItemRange, missing: Int?) {
    var at = range.from
    var missing: Int?
    search: while at.segment <= end.place.segment {
      switch try step(range.lane, at, end) {
      case .line(let line):
        if line.number + line.items > range.from.number {
          at.number = max(range.from.number, line.number)
          break search
        }
        at.offset += line.length
      case .damaged(let until): at.offset = until
      case .end: (at.segment, at.offset) = (at.segment + 1, 0)
      case nil:
        missing = missing ?? at.segment
        (at.segment, at.offset) = (at.segment + 1, 0)
      }
    }
    let isInside = at.segment <= end.place.segment && at.number < range.to.number
    let gap = ItemRange(lane: range.lane, from: range.from, to: isInside ? at : range.to)
    if let missing, gap.count > 0 { noteMissing(range.lane, missing) }
    return (gap, missing)
  }

  /// Passes over entries whose time has not come. One name serves for many, up to when the first of them
  /// is due; then they are looked at again.
  private func delay(
    _ range: ItemRange, into selection: Selection, _ end: EndMark
  ) throws(Fault) -> Place {
    var at = range.from
    var first: Due?
    var count = 0
    while at < range.to, count < Claimer.mostDelayed {
      guard case .line(let line) = try step(range.lane, at, end), line.isDelayed(at: selection.now),
        line.number <= at.number, let due = line.due
      else { break }
      if first.map({ due.at < $0.at }) ?? true { first = due }
      count += 1
      at.number = min(range.to.number, line.number + line.items)
      at.offset += line.length
    }
    if let first {
      var delayed = range
      delayed.to = at
      selection.delay(delayed, until: first)
    }
    return at
  }

  /// Entries under one name: what is read again when the first of them is due.
  private static let mostDelayed = 1024

  /// What is at a place; nil where its segment is missing.
  func step(
    _ lane: Priority, _ place: Place, _ end: EndMark
  ) throws(Fault) -> SegmentReader.Reading? {
    guard let reader = try reader(lane, place.segment) else { return nil }
    let isLast = place.segment == end.place.segment
    let limit = isLast ? end.place.offset : try reader.finalSize()
    let reading = try reader.line(at: place.offset, limit: limit)
    if case .damaged(let until) = reading {
      try queue.quarantine(lane, place.segment, place.offset..<until)
    }
    return reading
  }

  /// The claim of these names, read again. Items whose lines were damaged since are left out.
  func claim(_ batch: EntryID, _ names: [NowName], _ ends: Ends) throws(Fault) -> Claim {
    let selection = Selection(size: .max, byteLimit: .max, now: .max, retries: .max)
    for name in names {
      var walk = Walk(name.range, selection, passesGaps: true)
      let end = ends[name.range.lane]
      while !walk.isDone {
        switch try step(name.range.lane, walk.place, end) {
        case .line(let line): walk.take(line)
        case .damaged(let until): walk.pass(damageUntil: until)
        case .end: walk.skipSegment(end)
        case nil: throw missing(name.range.lane, walk.place.segment)
        }
      }
      selection.add(walk, replacing: name)
    }
    return selection.claim(batch, names)
  }

  func missing(_ lane: Priority, _ segment: Int) -> Fault {
    Fault(
      .inputOutput,
      "\(printable(queue.path))/\(Segment.path(lane, segment)): is missing; put it back,"
        + " or an empty file in its place to give up what it held")
  }
}
