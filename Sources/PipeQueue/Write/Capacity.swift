internal import Glibc
internal import PipeIO

extension Queue {
  /// Throws "full" unless the write batch fits into the limits of the queue and leaves the required
  /// space free on the file system. A single entry that would not fit even into an empty queue
  /// throws `settings`, since waiting does not help. `laneEnds`: the ends of all lanes, unflushed
  /// lines included. `isMoving`: the entries are in the queue already, and need only space.
  /// Returns the bytes that the file system has left beyond all this.
  @discardableResult
  func requireRoom(
    for writeBatch: WriteBatch, behind laneEnds: LaneEnds, isMoving: Bool = false
  ) throws(Fault) -> Int {
    guard Lane.allCases.contains(where: { !writeBatch[$0].lines.isEmpty }) else { return .max }
    let left = try requireSpace(writeBatch.byteCount)
    guard settings.hasBounds, !isMoving else { return left }
    let items = Lane.allCases.reduce(0) { $0 + writeBatch[$1].items }
    if writeBatch.receipts.count == 1 { try requireSpan(items, writeBatch.byteCount) }
    let waiting = try unsettled(laneEnds)
    if let most = settings.maxItems, waiting.items + items > most {
      throw full(
        "\(waiting.items) items are not done, at most \(most) allowed (pipe init --max-items)")
    }
    if let most = settings.maxBytes, waiting.bytes + writeBatch.byteCount > most {
      throw full(
        "\(waiting.bytes) bytes are not done, at most \(most) allowed (pipe init --max-bytes)")
    }
    return left
  }

  private func requireSpace(_ bytes: Int) throws(Fault) -> Int {
    let space = try space()
    // Some file systems in memory have no bound and report 0.
    guard space.total > 0 else { return .max }
    // On a small file system the default would leave no room at all.
    let asked = min(settings.minFree, space.total / 16)
    let left = space.free - max(asked, Reserve.most) - bytes - Reserve.most
    if left >= 0 { return left }
    // Space that consumers gave up to drain the queue is kept for them.
    let reserve = Reserve(root)
    let missing = try reserve.missing()
    let kept = max(asked, try reserve.slack()) + missing
    if space.free >= kept + bytes { return 0 }
    throw full(
      "\(space.free) bytes are free on its file system, and \(kept) must stay free"
        + " (pipe init --min-free)",
      code: ENOSPC)
  }

  private func requireSpan(_ items: Int, _ bytes: Int) throws(Fault) {
    let what = "\(printable(path)): the entry is too large for this queue:"
    if let most = settings.maxItems, items > most {
      throw Fault(
        .settings, "\(what) \(items) items, at most \(most) allowed (pipe init --max-items)")
    }
    if let most = settings.maxBytes, bytes > most {
      throw Fault(
        .settings, "\(what) \(bytes) bytes, at most \(most) allowed (pipe init --max-bytes)")
    }
  }

  // `code`: ENOSPC if the disk is full.
  private func full(_ why: String, code: Int32 = 0) -> Fault {
    Fault(.tryLater, "\(printable(path)): the queue is full: \(why)", code: code)
  }

  // Items that are stored and not done, and the bytes of the segments from the oldest of them on,
  // where each full segment counts with the size at which it is rolled.
  private func unsettled(_ laneEnds: LaneEnds) throws(Fault) -> (items: Int, bytes: Int) {
    let listing = try listingNow()
    let names = listing.names
    // Parked items count too; their bytes do not.
    var items = listing.later?.items ?? 0
    var bytes = 0
    for laneEnd in laneEnds {
      let line = LaneMap(laneEnd.lane, end: laneEnd.position, names: names)
      items += line.undone.reduce(0) { $0 + $1.count }
      guard let oldest = line.undone.first?.from else { continue }
      let end = laneEnd.position
      bytes =
        bytes &+ (end.segment - oldest.segment) &* Segment.rollSize &+ end.offset - oldest.offset
    }
    return (items, max(0, bytes))
  }
}
