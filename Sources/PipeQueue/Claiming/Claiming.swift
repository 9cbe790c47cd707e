internal import CPipeIO
internal import Glibc
package import PipeIO

/// The way out: claims items, in order, and settles them.
package final class Claimer {
  let queue: Queue
  var mint = Mint()
  /// Upper half of every batch id of this run: what it failed is not offered to it again.
  private let run: UInt64
  private var serial: UInt64 = 0
  private(set) var owner: Owner?
  private var readers: [SegmentReader?] = [nil, nil, nil]
  private var lastReaping: Int64?
  /// Items that were met in the line but not in any segment: damaged, or removed by hand.
  package private(set) var lostItems = 0
  package let sync: GroupSync

  package init(_ queue: Queue) {
    self.queue = queue
    let seed = mint.id(at: Clock.now())
    run = seed.high
    serial = seed.low & ~0xffff_ffff_ffff
    sync = GroupSync(queue)
  }

  private func nextBatch() -> EntryID {
    serial += 1
    return EntryID(high: run, low: serial)
  }

  private func isOfThisRun(_ batch: EntryID) -> Bool {
    batch.high == run && (batch.low ^ serial) >> 48 == 0
  }

  /// The descriptor whose lock holds the claims; a worker that inherits it holds them too.
  package var lockDescriptor: Int32? { owner?.file.number }

  /// Claims the next items, at most `size` and, but for the first, at most `bytes` of data. nil when
  /// nothing is ready.
  package func claim(size: Int, bytes: Int = .max) throws(Fault) -> Claim? {
    if owner == nil {
      owner = try Owner.take(queue)
      // A crash may have left an end behind what is on disk, in a lane that comes before others.
      _ = try queue.advanceEnds(try queue.ends())
    }
    // Busy consumers look for dead ones once a second, idle ones each time.
    let now = Clock.steady()
    if now - (lastReaping ?? 0) > 1_000_000 {
      lastReaping = now
      try reap()
    }
    if let claim = try claimReady(size, bytes) { return claim }
    let moved = try queue.advanceEnds(try queue.ends())
    guard try reap() || moved else { return nil }
    return try claimReady(size, bytes)
  }

  private func claimReady(_ size: Int, _ bytes: Int) throws(Fault) -> Claim? {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let listing = try queue.listNow()
    let ends = try queue.ends()
    let selection = Selection(
      batch: nextBatch(), owner: owner!.slot, size: size, byteLimit: bytes)
    for lane in Priority.allCases where !selection.isFull {
      let line = LaneLine(lane, end: ends[lane].place, names: listing.names)
      for offer in offers(line) where !selection.isFull {
        try collect(offer, into: selection, end: ends[lane])
      }
    }
    guard !selection.parts.isEmpty else { return nil }
    var namer = Namer(queue, listing)
    for part in selection.parts { try namer.name(part) }
    sync.note()
    return selection.claim()
  }

  private enum Offer {
    case untouched(ItemRange)
    case again(NowName)

    var from: Place {
      switch self {
      case .untouched(let range): range.from
      case .again(let name): name.range.from
      }
    }
  }

  // In the order of the line: a retry keeps its place.
  private func offers(_ line: LaneLine) -> [Offer] {
    let now = Clock.now()
    let again = line.again.filter {
      guard case .again(let batch, _, let due) = $0.state else { return false }
      return due <= now && !isOfThisRun(batch)
    }
    return (line.untouched.map(Offer.untouched) + again.map(Offer.again)).sorted {
      $0.from < $1.from
    }
  }

  private func collect(_ offer: Offer, into selection: Selection, end: EndMark) throws(Fault) {
    switch offer {
    case .untouched(let range):
      try collect(range, after: 0, of: nil, into: selection, end: end)
    case .again(let name):
      guard case .again(_, let attempt, _) = name.state else { return }
      try collect(name.range, after: attempt, of: name, into: selection, end: end)
    }
  }

  private func collect(
    _ range: ItemRange, after attempts: Int, of name: NowName?, into selection: Selection,
    end: EndMark
  ) throws(Fault) {
    var walk = Walk(range, selection)
    while !walk.isDone {
      guard let reader = try reader(range.lane, walk.place.segment) else {
        throw Fault(
          .inputOutput,
          "\(printable(queue.path))/\(Segment.path(range.lane, walk.place.segment)): is missing; put it back,"
            + " or an empty file in its place to give up what it held")
      }
      let isLast = walk.place.segment == end.place.segment
      let limit = isLast ? end.place.offset : try reader.finalSize()
      switch try reader.line(at: walk.place.offset, limit: limit) {
      case .line(let line): walk.take(line)
      case .damaged(let until):
        try queue.quarantine(range.lane, walk.place.segment, walk.place.offset..<until)
        walk.place.offset = until
      case .end: walk.skipSegment(end)
      }
    }
    lostItems += walk.lost
    selection.add(walk, attempt: attempts + 1, replacing: name)
  }

  private func reader(_ lane: Priority, _ segment: Int) throws(Fault) -> SegmentReader? {
    let index = Int(lane.rawValue)
    if let held = readers[index], held.segment == segment { return held }
    guard let file = try Segment.open(queue, lane, segment) else { return nil }
    let reader = SegmentReader(file, lane, segment)
    readers[index] = reader
    return reader
  }

  /// Makes the claims of dead holders ready again, their attempts counted. Returns whether there were any.
  @discardableResult
  private func reap() throws(Fault) -> Bool {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    var found = false
    // Held until the last of their claims is renamed: nobody may take these slots before.
    var locksOfDead: [Int: Descriptor] = [:]
    var alive: Set<Int> = []
    for name in try queue.listNow().names {
      guard case .claim(let batch, let attempt, let slot) = name.state, !isOfThisRun(batch),
        !alive.contains(slot)
      else { continue }
      // Our own slot: its last holder must be dead, or we should not hold it.
      if slot != owner?.slot, locksOfDead[slot] == nil {
        guard let lock = try Owner.lockOfDead(slot, queue) else {
          alive.insert(slot)
          continue
        }
        locksOfDead[slot] = lock
      }
      let again = NowName(name.range, .again(batch: batch, attempt: attempt, due: 0))
      if try queue.rename(name, to: again) { found = true }
    }
    if found { sync.note() }
    return found
  }
}
