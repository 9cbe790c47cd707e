internal import PipeIO

// Going along a range of items and reading them from the segments.
extension Claimer {
  func collect(_ offer: Offer, into selection: Selection, end: EndMark) throws(Fault) {
    guard selection.accepts(offer) else {
      // What is not to be handed out yet stands in nobody's way.
      if offer.name == nil, try delay(offer.range, into: selection, end) >= offer.range.to {
        return
      }
      return selection.close()
    }
    if offer.name != nil {
      try collect(offer.range, offer.name, into: selection, end)
      return
    }
    var at = offer.range.from
    while at < offer.range.to, !selection.isFull {
      var rest = offer.range
      rest.from = at
      at = try collect(rest, nil, into: selection, end)
      // What stopped it may be an entry that is not to be handed out yet.
      guard !selection.isFull, at < offer.range.to else { return }
      rest.from = at
      at = try delay(rest, into: selection, end)
    }
  }

  @discardableResult
  private func collect(
    _ range: ItemRange, _ name: NowName?, into selection: Selection, _ end: EndMark
  ) throws(Fault) -> Place {
    var walk = Walk(range, selection)
    while !walk.isDone {
      switch try step(range.lane, walk.place, end) {
      case .line(let line):
        if name == nil, line.isDelayed(at: selection.now) { walk.stop() } else { walk.take(line) }
      case .damaged(let until): walk.place.offset = until
      case .end: walk.skipSegment(end)
      }
    }
    lose(walk.lost)
    selection.add(walk, replacing: name)
    return walk.place
  }

  /// Passes over entries whose time has not come. One name serves for many, up to when the first of them
  /// is due; then they are looked at anew.
  private func delay(
    _ range: ItemRange, into selection: Selection, _ end: EndMark
  ) throws(Fault) -> Place {
    var at = range.from
    var first: Due?
    var count = 0
    while at < range.to, count < Claimer.mostDelayed {
      guard case .line(let line) = try step(range.lane, at, end), line.isDelayed(at: selection.now),
        let due = line.due
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

  func step(
    _ lane: Priority, _ place: Place, _ end: EndMark
  ) throws(Fault) -> SegmentReader.Reading {
    guard let reader = try reader(lane, place.segment) else {
      throw Fault(
        .inputOutput,
        "\(printable(queue.path))/\(Segment.path(lane, place.segment)): is missing; put it back,"
          + " or an empty file in its place to give up what it held")
    }
    let isLast = place.segment == end.place.segment
    let limit = isLast ? end.place.offset : try reader.finalSize()
    let reading = try reader.line(at: place.offset, limit: limit)
    if case .damaged(let until) = reading {
      try queue.quarantine(lane, place.segment, place.offset..<until)
    }
    return reading
  }

  /// The claim of these names, read anew.
  func claim(_ batch: EntryID, _ names: [NowName], _ ends: Ends) throws(Fault) -> Claim {
    let selection = Selection(size: .max, byteLimit: .max, now: .max, retries: .max)
    for name in names {
      try collect(name.range, name, into: selection, ends[name.range.lane])
    }
    return selection.claim(batch, names)
  }
}
