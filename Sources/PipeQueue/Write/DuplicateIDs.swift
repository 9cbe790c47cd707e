internal import PipeIO
internal import PipeTime

/// Finds ids of a write batch that the queue already has, even in lines that are not flushed yet.
/// Requires the lock of end/, so that two processes that store the same line at once store it once.
final class DuplicateIDs {
  private let queue: Queue
  private let lookup: Lookup
  /// How far this process has examined each lane; nil before the first time.
  private var examined = PerLane<Examined?>.repeating(nil)

  /// From the time of the first search up to `position`, no line has an id above `highest`.
  private struct Examined {
    var position: Position
    var highest: EntryID
  }

  init(_ queue: Queue) {
    self.queue = queue
    lookup = Lookup(queue)
  }

  /// `laneEnds`: the ends of all lanes up to which lines are checked.
  func drop(from writeBatch: inout WriteBatch, upTo laneEnds: LaneEnds) throws(Fault) {
    guard var search = Search(writeBatch) else { return }
    for laneEnd in laneEnds where !search.isOver {
      try look(through: laneEnd, &search)
    }
    if !search.isOver {
      for run in try queue.strayRuns(search.first, search.last) {
        try lookup.lines(of: run, upTo: laneEnds[run.lane]) { line, _, _ in
          search.compare(line.id)
          return !search.isOver
        }
      }
    }
    if !search.duplicates.isEmpty { writeBatch.drop(search.duplicates) }
  }

  /// Records what this process appended itself, so that it is not examined again.
  func note(_ tail: LaneTail, _ lines: WriteBatch.LaneLines) {
    guard let old = examined[tail.lane], let highest = lines.lines.map(\.id).max() else { return }
    examined[tail.lane] = Examined(position: tail.position, highest: max(old.highest, highest))
  }

  private func look(through laneEnd: LaneEnd, _ search: inout Search) throws(Fault) {
    let lane = laneEnd.lane
    let known = examined[lane].flatMap { $0.highest < search.first ? $0 : nil }
    var highest = known?.highest ?? search.first
    var changed = search
    // A line is stored at most `patience` after its id was minted, or is noted among the
    // out-of-order ids.
    let latest = search.last.time + OutOfOrderLog.patience + .milliseconds(1)
    let visit: Lookup.Visit = { line, _, _ in
      highest = max(highest, line.id)
      changed.compare(line.id)
      return !changed.isOver && line.time < latest
    }
    let isComplete =
      if let known {
        try lookup.lines(laneEnd.lane, at: known.position, upTo: laneEnd, visit)
      } else {
        try lookup.lines(laneEnd.lane, from: search.first.time, upTo: laneEnd, visit)
      }
    search = changed
    examined[lane] = isComplete ? Examined(position: laneEnd.position, highest: highest) : nil
  }
}

/// Compares the ids of a write batch with the ids found.
private struct Search {
  let first: EntryID
  let last: EntryID
  private(set) var duplicates: Set<Int> = []
  private let receipts: [Receipt]
  /// Receipts by id; made for the first id within the range, which most commits never find.
  private var wanted: [EntryID: Int]?

  /// nil: every line is answered already.
  init?(_ writeBatch: WriteBatch) {
    receipts = writeBatch.receipts
    if writeBatch.isAscending {
      first = receipts.first!.id
      last = receipts.last!.id
    } else {
      // Lines that were answered before a wait for room have the ids of other entries.
      let open = receipts.lazy.filter { !$0.isDuplicate }.map(\.id)
      guard let least = open.min(), let most = open.max() else { return nil }
      first = least
      last = most
      wanted = index()
    }
  }

  /// Whether every id was found.
  var isOver: Bool { wanted?.isEmpty ?? false }

  mutating func compare(_ id: EntryID) {
    guard first <= id, id <= last else { return }
    if wanted == nil { wanted = index() }
    if let receipt = wanted!.removeValue(forKey: id) { duplicates.insert(receipt) }
  }

  // An id that occurs twice in the write batch is a duplicate of itself.
  private mutating func index() -> [EntryID: Int] {
    var index: [EntryID: Int] = [:]
    index.reserveCapacity(receipts.count)
    for (position, receipt) in receipts.enumerated() where !receipt.isDuplicate {
      if index[receipt.id] == nil {
        index[receipt.id] = position
      } else {
        duplicates.insert(position)
      }
    }
    return index
  }
}
