internal import CPipeIO
internal import Glibc
internal import PipeIO

extension Queue {
  /// Removes the oldest segments of a lane whose items are all done and were stored longer ago than the
  /// settings retain them: a few at a time, by whoever begins a new segment, so that nobody pays for all.
  /// In order from the oldest, so that those that are left have no gap. The segment of the end stays.
  func pruneSome(_ lane: Priority, _ ends: Ends) throws(Fault) {
    guard let directory = try Directory.open("segments/\(lane.name)", in: root) else { return }
    // Nothing comes back from later/ or dead/ meanwhile, and what is on its way is waited for.
    let later = try part(Aside.later.rawValue)
    guard try later.tryLock() else { return }
    defer { later.unlock() }
    let oldest = try oldestNeeded(lane, ends)
    guard let group = try directory.names().filter({ decimalName($0) }).min(),
      let within = try Directory.open(group, in: directory)
    else { return }
    let limit = Clock.now() - settings.retain
    let names = try within.names().filter { decimalName($0) }.sorted()
    for name in names.prefix(4) {
      guard let number = Int(name), number < oldest, let written = within.modified(name),
        written < limit
      else { return }
      try within.remove(name)
    }
    if try within.names().isEmpty { try directory.removeDirectory(group) }
    try pruneDropped(lane, oldest)
  }

  // What `drop` left behind, once the lines are gone: of a hundred items at a time.
  private func pruneDropped(_ lane: Priority, _ oldest: Int) throws(Fault) {
    guard let shard = try shards(.dead, lane).first,
      let file = try Segment.open(self, lane, oldest),
      try Segment.open(self, lane, oldest - 1) == nil,
      case .line(let line) = try SegmentReader(file, lane, oldest).line(at: 0, limit: .max),
      (shard + 1) * Aside.width <= line.number
    else { return }
    let names = try namesAside(.dead, lane, shard)
    guard names.allSatisfy(\.isDropped) else { return }
    try removeAside(names)
    try dropEmpty(names)
  }

  // Other names are not ours.
  private func decimalName(_ name: String) -> Bool {
    name.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private func oldestNeeded(_ lane: Priority, _ ends: Ends) throws(Fault) -> Int {
    let line = LaneLine(lane, end: ends[lane].place, names: try namesNow())
    var oldest = line.undone.first?.from.segment ?? ends[lane].place.segment
    for kind in Aside.allCases { oldest = try min(oldest, firstAside(kind, lane) ?? .max) }
    return oldest
  }

  // The segment of the first item that is aside and not given up.
  private func firstAside(_ kind: Aside, _ lane: Priority) throws(Fault) -> Int? {
    for shard in try shards(kind, lane) {
      let names = try namesAside(kind, lane, shard)
      if let first = names.first(where: { !$0.isDropped }) { return first.range.from.segment }
    }
    return nil
  }
}
