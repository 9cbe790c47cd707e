package import PipeIO
internal import PipeTime

// Dead letters, and names in later/, of items that no consumer has reached. These items need no names in now/, so
// that a thousand of them cost other claims nothing; a consumer that reaches one passes it over, and its name
// becomes done.
extension Claimer {
  /// Makes dead letters of those of these items that no name covers. Returns the others. `isDropped`:
  /// without a letter that is listed.
  /// Transition: cancel
  package func cancelUntouched(
    _ items: [WaitingItems], reason: String, isDropped: Bool
  ) throws(Fault) -> (cancelled: Int, rest: [WaitingItems]) {
    try begin()
    try queue.permit(\.hasEarlyLetters)
    let singles = items.flatMap(\.singles)
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let listing = try queue.listNow()
    let open = Set(try queue.withoutPassedOver(singles, listing.early).map(WaitingItems.Key.init))
    let found = singles.within(try queue.untouched(listing))
      .filter { open.contains(WaitingItems.Key($0)) }
    let ready = found.sorted { $0.comesBefore($1) }
    try queue.raiseEarly(listing, ready)
    try writeEarlyLetters(of: ready, reason, isDropped)
    let cancelled = Set(ready.map(WaitingItems.Key.init))
    let rest = items.filter { item in
      !item.singles.allSatisfy { cancelled.contains(WaitingItems.Key($0)) }
    }
    return (ready.count, rest)
  }

  /// Parks those of these items that no name covers, if they wait long enough. Returns the others. Wide ranges
  /// are left as well: their name in now/ costs less than their files.
  /// Transition: set aside
  func parkUntouched(
    _ items: [WaitingItems], until due: ReadyTime
  ) throws(Fault) -> (parked: Int, rest: [WaitingItems]) {
    let state = NowName.State.again(batch: .revived, attempt: 0, due: due)
    let now = wall()
    let wanted = ItemRange.mergedByLane(items.map(\.range))
      .filter { NowName($0, state).isFar(at: now) }
    // Without a candidate, the format stays one that older programs can read.
    if wanted.within(try queue.untouched(try queue.listingNow())).isEmpty { return (0, items) }
    try begin()
    try queue.permit(\.hasEarlyParking)
    let later = try queue.part(SideKind.later.rawValue)
    try Queue.lock(later, exclusive: true, queue.report)
    defer { later.unlock() }
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    var listing = try queue.listNow()
    let open = try queue.withoutPassedOver(wanted, listing.early)
    let ready = wanted.within(try queue.untouched(listing)).within(open)
    if ready.isEmpty { return (0, items) }
    try queue.lowerHint(to: due.at, adding: ready.items, at: now)
    listing = try queue.listNow()
    try queue.raiseEarly(listing, ready)
    let names = ready.map { SideName(range: $0, waiting: state) }
    try writeEarly(names, ready, .init(directories: SideGroup.split(names).count)) { _ in [] }
    let parked = Set(items.map(\.range).within(ready).map(WaitingItems.Key.init))
    return (ready.items, items.filter { !parked.contains(WaitingItems.Key($0.range)) })
  }

  /// Removes early letters of items that no consumer has reached: the items are ready as before. Claims hold
  /// them until that is on disk: if this process dies, a reaper completes it. Returns the letters that it
  /// removed. Requires the lock of later/.
  /// Step of: revive
  func reviveUntouched(_ letters: [SideName]) throws(Fault) -> [SideName] {
    try begin()
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let listing = try queue.listNow()
    let ends = try queue.ends()
    let maps = PerLane { LaneMap($0, end: ends[$0].position, names: listing.names) }
    // Another process may have dropped some since they were listed.
    let present = Set(
      try queue.namesAside(.dead, of: letters.map(\.range)).map { WaitingItems.Key($0.range) })
    let untouched = letters.filter {
      maps[$0.range.lane].state(of: $0.range.from.number) == nil
        && present.contains(WaitingItems.Key($0.range))
    }
    guard !untouched.isEmpty else { return [] }
    try withClaims(of: untouched.map(\.range), listing) { () throws(Fault) in
      // First: an item that is listed and has no letter would be handed out again after it is done.
      try Register(queue.root).remove(untouched.map(\.range))
      try queue.removeAside(untouched)
    }
    return untouched
  }

  /// Claims items that no name covers, on disk, runs `body`, and makes the items ready again.
  private func withClaims(
    of ranges: [ItemRange], _ listing: NowListing, _ body: () throws(Fault) -> Void
  ) throws(Fault) {
    var nowDirectory = NowDirectory(queue, listing)
    let state = NowName.State.claim(batch: nextBatch(), attempt: 0, owner: owner!.slot)
    // One claim for adjacent items: an entry may have thousands.
    let claims = ItemRange.mergedByLane(ranges).map { NowName($0, state) }
    for claim in claims { try nowDirectory.create(claim) }
    try queue.now().flush()
    try body()
    for claim in claims { _ = try queue.makeSpare(claim) }
    try queue.now().flush()
  }

  // All of it is on disk before the lock of now/ is released. A consumer that passes an item over names it
  // done: without its other name, the item would then be done. The register comes last: if it listed an item
  // without such a name, the item would be handed out again after it is done.
  private func writeEarlyLetters(
    of ranges: [ItemRange], _ reason: String, _ isDropped: Bool
  ) throws(Fault) {
    let names = ranges.map {
      SideName(range: $0, waiting: nil, isDropped: isDropped, isEarly: true)
    }
    try writeEarly(names, ranges, .init(files: names.count)) { name in
      let attempt = Attempt(Failure(reason), number: 0, started: nil, ended: wall())
      return History.line(name.range, attempt) + DeadLetter.stderrBlock([])
    }
  }

  private func writeEarly(
    _ names: [SideName], _ ranges: [ItemRange], _ extent: SideWriter.Extent,
    _ contents: (SideName) -> [UInt8]
  ) throws(Fault) {
    guard !names.isEmpty else { return }
    do throws(Fault) {
      var files = SideWriter(queue, flushing: extent)
      try files.prepare(for: names)
      for name in names { try files.write(name, contents(name)) }
      try files.flush()
      try Register(queue.root).add(ranges)
    } catch {
      try? takeBack(names, ranges)
      throw error
    }
  }

  // On a full disk the items may have to stay listed, and then keep their names. There may also be no room
  // for the claims that hold the items until the removal is on disk.
  private func takeBack(_ names: [SideName], _ ranges: [ItemRange]) throws(Fault) {
    let remove = { () throws(Fault) in
      try Register(self.queue.root).undo(ranges)
      try self.queue.removeAside(names)
    }
    do throws(Fault) { try withClaims(of: ranges, try queue.listNow(), remove) } catch {
      try remove()
    }
  }

  /// The front of a range, up to the first item with an early letter or a name in later/. Such items at its start
  /// are passed over: `range` then begins behind them.
  func front(of range: inout ItemRange, _ selection: Selection) throws(Fault) -> ItemRange? {
    let lane = range.lane
    while range.from.number < range.to.number {
      guard let limit = selection.early?.limits[lane], range.from.number < limit else {
        return range
      }
      let shard = range.from.number / SideKind.width
      var names = try passedOver.of(lane, shard, in: queue, selection.early!, now: false)
      var next = names.partitionPoint { $0.to.number <= range.from.number }
      if next < names.count, names[next].from.number <= range.from.number {
        // A name may be gone since it was listed, and its item ready.
        names = try passedOver.of(lane, shard, in: queue, selection.early!, now: true)
        next = names.partitionPoint { $0.to.number <= range.from.number }
      }
      var front = range
      if next < names.count {
        if names[next].from.number <= range.from.number {
          var skipped = range
          if names[next].to < range.to { skipped.to = names[next].to }
          selection.skip(skipped)
          range.from = skipped.to
          if selection.isFull { return nil }
          continue
        }
        if names[next].from < front.to { front.to = names[next].from }
      } else {
        front.to.number = min(front.to.number, (shard + 1) * SideKind.width)
      }
      return front
    }
    return nil
  }
}

/// The items of a hundred that have early letters or names in later/, as last listed. A process that writes such a
/// name while no name in now/ covers its items raises the early name, so none is missing as long as that is the same.
struct PassedOver {
  private var listed: (lane: Lane, shard: Int, hint: EarlyHint, items: [ItemRange])?
  /// Whether they were listed since the lock of now/ was taken.
  private var isCurrent = false

  /// Call when the lock of now/ is taken.
  mutating func expire() {
    isCurrent = false
    // A damaged name cannot be raised.
    if let listed, listed.hint.limits[listed.lane] == .max { self.listed = nil }
  }

  /// `now`: not as listed before the lock of now/ was taken.
  mutating func of(
    _ lane: Lane, _ shard: Int, in queue: Queue, _ hint: EarlyHint, now: Bool
  ) throws(Fault) -> [ItemRange] {
    if let listed, listed.lane == lane, listed.shard == shard, listed.hint == hint,
      isCurrent || !now
    {
      return listed.items
    }
    let items = ItemRange.merged(try queue.passedOver(lane, shard).map(\.range))
    listed = (lane, shard, hint, items)
    isCurrent = true
    return items
  }
}

extension Queue {
  /// Raises the early name, before early letters or names in later/ are written. It is on disk when this returns.
  /// Step of: cancel, set aside
  func raiseEarly(_ listing: NowListing, _ ranges: [ItemRange]) throws(Fault) {
    guard !ranges.isEmpty else { return }
    var hint = listing.early ?? EarlyHint(limits: .repeating(0))
    for (lane, inLane) in Dictionary(grouping: ranges, by: \.lane) where hint.limits[lane] < .max {
      hint.limits[lane] = inLane.reduce(hint.limits[lane] + 1) { max($0, $1.to.number) }
    }
    if hint != listing.early {
      // Several names, or a damaged one, are left as they are: the highest number is valid.
      let isRaised =
        if let old = listing.early {
          try now().rename(old.text, to: hint.text) == .renamed
        } else { false }
      if !isRaised {
        var nowDirectory = NowDirectory(self, listing)
        try nowDirectory.createFile(hint.text)
      }
    }
    // Also an old name: the process that wrote it may have died before its flush.
    try now().flush()
  }

  /// Flushes the early names of items that the register does not list: the process that wrote them died before
  /// its flush, and with such a name a power cut would remove an item that a consumer has passed over.
  func flushUnlisted(of ranges: [ItemRange]) throws(Fault) {
    let register = Register(root)
    var unlisted: [ItemRange] = []
    for range in ranges where try register.items(range.lane, range.numbers).count < range.count {
      unlisted.append(range)
    }
    guard !unlisted.isEmpty else { return }
    for kind in SideKind.allCases { try flushAside(kind, unlisted) }
  }

  /// The ranges that no name covers.
  fileprivate func untouched(_ listing: NowListing) throws(Fault) -> [ItemRange] {
    let ends = try ends()
    return Lane.allCases.flatMap { lane in
      LaneMap(lane, end: ends[lane].position, names: listing.names).untouched
    }
  }

  /// Marks the queue as one that older programs must not read: they would hand out what is cancelled or waits.
  /// Step of: cancel, set aside
  fileprivate func permit(_ setting: WritableKeyPath<Settings, Bool>) throws(Fault) {
    if settings[keyPath: setting] { return }
    settings = try Queue.create(path: path, force: true, report: report) {
      $0[keyPath: setting] = true
    }.settings
  }
}

extension WaitingItems {
  struct Key: Hashable {
    let lane: Lane
    let number: Int

    init(_ range: ItemRange) { (lane, number) = (range.lane, range.from.number) }
  }

  /// A range for each item.
  var singles: [ItemRange] {
    range.numbers.map { number in
      var one = range
      one.from.number = number
      if number + 1 < range.to.number {
        one.to = range.from
        one.to.number = number + 1
      }
      return one
    }
  }
}
