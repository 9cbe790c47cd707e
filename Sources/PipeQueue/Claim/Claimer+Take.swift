package import PipeIO
package import PipeTime

// Waiting items that a person names: `cancel`, `purge` and `change` claim them like any consumer, with
// attempts unchanged, and then settle the claim. A crash leaves claims of a dead process, which a
// reaper makes ready again.
extension Claimer {
  /// Claims those of these items that are ready or wait for a time; nil if there are none. No attempt is
  /// counted.
  package func take(_ wanted: [WaitingItems]) throws(Fault) -> Claim? {
    try begin()
    let ranges = wanted.map(\.range)
    try restore(ranges)
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let listing = try queue.listNow()
    let ends = try queue.ends()
    let open = try queue.withoutPassedOver(ranges, listing.early)
    let selection = Selection(
      size: .max, byteLimit: .max, now: .distantFuture, retries: .max, countsAttempt: false)
    for lane in Lane.allCases {
      let map = LaneMap(lane, end: ends[lane].position, names: listing.names)
      let inLane = ItemRange.merged(open.filter { $0.lane == lane })
      for piece in pieces(of: inLane, map) { try read(piece, into: selection, ends[lane]) }
    }
    if selection.parts.isEmpty { return nil }
    var nowDirectory = NowDirectory(queue, listing)
    try name(selection, &nowDirectory)
    sync.note()
    return selection.claim()
  }

  private func pieces(of ranges: [ItemRange], _ map: LaneMap) -> [ReadyRange] {
    let now = wall()
    let offers =
      map.untouched.map { ReadyRange(range: $0, name: nil) }
      + map.waiting.filter { !$0.isHeld(at: now) }.map { ReadyRange(range: $0.range, name: $0) }
    let sorted = offers.sorted { $0.range.comesBefore($1.range) }
    var found: [ReadyRange] = []
    for range in ranges {
      let first = sorted.partitionPoint { $0.range.to.number <= range.from.number }
      for offer in sorted[first...] {
        guard offer.range.overlaps(range) else { break }
        var piece = offer.range
        if range.from.number > piece.from.number { piece.from = range.from }
        if range.to.number < piece.to.number { piece.to = range.to }
        found.append(ReadyRange(range: piece, name: offer.name))
      }
    }
    return found
  }

  private func read(
    _ piece: ReadyRange, into selection: Selection, _ end: LaneEnd
  ) throws(Fault) {
    var scan = RangeScan(piece.range, selection, passesGaps: true)
    while !scan.isDone {
      switch try step(piece.range.lane, scan.position, end) {
      case .line(let line): scan.take(line)
      case .damaged(let until): scan.pass(damageUntil: until)
      case .end: scan.skipSegment(end)
      case nil: throw missing(piece.range.lane, scan.position.segment)
      }
    }
    selection.add(scan, replacing: piece.name)
  }

  /// Buries the items of a claim by `take`. Throws if the disk has no room for some of the letters: these
  /// items are ready again.
  package func cancel(_ claim: consuming Claim, reason: String) throws(Fault) {
    let before = unburied
    _ = try settle(claim) { _ in .bury(Failure(reason)) }
    let left = unburied - before
    guard left > 0 else { return }
    try sync.flush()
    throw Fault(
      .tryLater,
      "\(printable(queue.path)): no room for \(left) dead letters; free space and repeat the command"
    )
  }

  /// Makes those of these items that wait ready at `due`, attempts unchanged. Returns how many.
  package func reschedule(_ items: [WaitingItems], to due: Due) throws(Fault) -> Int {
    let ready =
      switch due {
      case .now: ReadyTime.now
      case .after(let span): ReadyTime.after(span, from: wall())
      case .at(let time): ReadyTime(at: time, span: .zero)
      }
    let (early, rest) = try parkUntouched(items, until: ready)
    guard !rest.isEmpty, let claim = try take(rest) else { return early }
    let count = early + claim.items.count
    try reschedule(claim, to: ready)
    return count
  }

  /// Transition: change
  private func reschedule(_ claim: consuming Claim, to due: ReadyTime) throws(Fault) {
    _ = try settle(claim, wait: nil, takingOver: false, due: due) { _ in .wait }
    try park()
  }

  /// Stores copies of entries in another lane, under their ids, in one commit; a copy waits as long as
  /// `items` did. Call under the lock of later/.
  package func store(
    _ copies: [(items: [WaitingItems], copy: EntryCopy)], in lane: Lane
  ) throws(Fault) {
    guard !copies.isEmpty else { return }
    // Another process may have written some of the letters and died before its flush. After a power cut, these
    // items would be ready beside their copies, or their letters would not say that they were moved.
    try queue.flushLetters(of: copies.flatMap { $0.items.map(\.range) })
    try queue.now().flush()
    var batch = WriteBatch()
    for (items, copy) in copies {
      let entry = entry(copy, in: lane, waitingLike: items)
      copy.data.withUnsafeBytes { batch.append(entry, data: $0) }
    }
    try Appender(queue, isMoving: true).commit(&batch)
  }

  private func entry(
    _ copy: EntryCopy, in lane: Lane, waitingLike items: [WaitingItems]
  ) -> NewEntry {
    var entry = copy.entry
    entry.priority = lane
    let known = entry.options.map { column in
      column.withUnsafeBytes { bytes -> (key: [UInt8]?, isJob: Bool) in
        let options = LineOptions(bytes)
        return (options.key.map { Array($0) }, options.isJob)
      }
    }
    let due = items.compactMap(\.due).filter { !$0.isOver(at: wall()) }.map(\.at).max()
    entry.options = LineOptions.column(
      key: known?.key, notBefore: due, delay: nil, isJob: known?.isJob ?? false)
    return entry
  }

  /// When rescheduled items are ready.
  package enum Due {
    case now
    case after(TimeSpan)
    case at(Instant)
  }
}

/// An entry with its data.
package struct EntryCopy {
  let entry: NewEntry
  let data: [UInt8]

  package var priority: Lane { entry.priority }
  package var bytes: Int { data.count }
}

extension Queue {
  /// The entry, if all of its items are among these.
  package func wholeEntry(_ id: EntryID, _ items: [WaitingItems]) throws(Fault) -> EntryCopy? {
    guard let view = try look(at: id),
      items.reduce(0, { $0 + $1.count }) == view.line.items
    else { return nil }
    let stored = StoredEntry(view.line, view.lane)
    return EntryCopy(entry: stored.entry, data: Array(stored.data))
  }
}

/// Adjacent items of one entry that wait: ready, or for a time.
package struct WaitingItems {
  package let id: EntryID
  package let isReady: Bool
  /// When they are ready; nil: they have never waited.
  let due: ReadyTime?
  /// Attempts so far.
  package let attempts: Int
  let range: ItemRange

  package var count: Int { range.count }
}

extension Queue {
  /// The items of an entry that wait, and whether others of it are claimed; nil if there is no such
  /// entry.
  package func waiting(
    of id: EntryID, at now: Instant = Clock.now()
  ) throws(Fault) -> (waiting: [WaitingItems], claims: Set<BatchID>, others: Int)? {
    guard let view = try look(at: id) else { return nil }
    var found: [WaitingItems] = []
    var claims: Set<BatchID> = []
    var others = 0
    let line = Position(
      number: view.line.number, segment: view.reader.segment, offset: view.offset)
    for number in view.numbers {
      let state = view.state(of: number)
      if let (due, attempts) = state.wait(view.line) {
        found.append(number, of: view.line, at: line, view.lane, due: due, attempts, now)
        continue
      }
      switch state {
      case .now(.hold(_, let attempts, let until)) where until.isOver(at: now):
        found.append(number, of: view.line, at: line, view.lane, due: nil, attempts, now)
      case .now(.claim(let batch, _, _)), .now(.hold(let batch, _, _)):
        claims.insert(batch.handedOut)
      default: others += 1
      }
    }
    return (found, claims, others)
  }
}

extension [WaitingItems] {
  /// `line`: the position of the entry's line.
  mutating func append(
    _ number: Int, of entry: SegmentLine, at line: Position, _ lane: Lane, due: ReadyTime?,
    _ attempts: Int, _ now: Instant
  ) {
    let isReady = due?.isOver(at: now) ?? true
    var from = line
    from.number = number
    var to = from
    to.number = number + 1
    if to.number >= entry.number + entry.items { to.offset += entry.length }
    let range = ItemRange(lane: lane, from: from, to: to)
    var items = WaitingItems(
      id: entry.id, isReady: isReady, due: due, attempts: attempts, range: range)
    if let last = last, last.id == entry.id, last.due == due, last.attempts == attempts,
      last.range.to.number == number
    {
      removeLast()
      items = WaitingItems(
        id: entry.id, isReady: isReady, due: due, attempts: attempts,
        range: ItemRange(lane: lane, from: last.range.from, to: to))
    }
    append(items)
  }
}

// Parked items come back to now/ before they are claimed.
extension Claimer {
  /// Restores the parked names of these items, due or not.
  private func restore(_ ranges: [ItemRange]) throws(Fault) {
    guard try !queue.namesAside(.later, of: ranges).isEmpty else { return }
    let later = try queue.part(SideKind.later.rawValue)
    try Queue.lock(later, exclusive: true, queue.report)
    defer { later.unlock() }
    while true {
      let names = Array(try queue.namesAside(.later, of: ranges).prefix(limits.portion))
      if names.isEmpty { return }
      try restore(names)
    }
  }
}

extension Queue {
  /// Drops the dead letters of these items.
  package func dropLetters(of items: [WaitingItems]) throws(Fault) -> Int {
    drainsOnFullDisk()
    return try drop(letters: try namesAside(.dead, of: items.map(\.range)))
  }
}
