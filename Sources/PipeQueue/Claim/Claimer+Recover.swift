internal import PipeIO

// Unfiled items: the register lists them, but they have no name in later/ or dead/, because the
// name was lost. No process has done them, so they are ready again (pipe-queue(5), REGISTER).
extension Claimer {
  /// Returns unfiled items to now/. Searches once in the life of a process, when nothing else is
  /// ready. Returns whether there were any.
  func returnUnfiled() throws(Fault) -> Bool {
    guard !hasLookedForUnfiled else { return false }
    let later = try queue.part(SideKind.later.rawValue)
    // Another process is parking or restoring; the next claim tries again.
    guard try later.tryLock() else { return false }
    defer { later.unlock() }
    hasLookedForUnfiled = true
    var ranges: [ItemRange] = []
    for lane in Lane.allCases { ranges += try unfiled(lane) }
    guard !ranges.isEmpty else { return false }
    try giveBackUnfiled(ranges)
    return true
  }

  // Needs the lock of later/, so that nothing is parked or restored meanwhile. Items on their way
  // to dead/ are claimed.
  private func unfiled(_ lane: Lane) throws(Fault) -> [ItemRange] {
    var numbers: [Int] = []
    try queue.forEachUnfiled(lane) { numbers += $0 }
    guard !numbers.isEmpty else { return [] }
    let laneEnd = try queue.ends()[lane]
    var ranges: [ItemRange] = []
    for number in numbers {
      guard number < laneEnd.position.number,
        let position = try Lookup(queue).position(lane, of: number, laneEnd)
      else { continue }
      var next = position
      next.number += 1
      if let last = ranges.last, last.to == position, last.count < SideKind.width {
        ranges[ranges.count - 1].to = next
      } else {
        ranges.append(ItemRange(lane: lane, from: position, to: next))
      }
    }
    return ranges
  }

  private func giveBackUnfiled(_ ranges: [ItemRange]) throws(Fault) {
    let covered = try coverUnfiled(ranges)
    // The names must be on disk before the register drops the items.
    try queue.now().flush()
    try Register(queue.root).remove(covered)
  }

  /// Makes the items ready again. Returns the ranges that the register is to drop: all except those
  /// with a claimed item, which may be on its way to dead/.
  /// Transition: return
  private func coverUnfiled(_ ranges: [ItemRange]) throws(Fault) -> [ItemRange] {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let listing = try queue.listNow()
    let ends = try queue.ends()
    var nowDirectory = NowDirectory(queue, listing)
    var (count, covered): (Int, [ItemRange]) = (0, [])
    for range in ranges {
      let line = LaneMap(range.lane, end: ends[range.lane].position, names: listing.names)
      let states = range.numbers.map { line.state(of: $0) }
      if states.contains(where: { if case .claim = $0 { true } else { false } }) { continue }
      covered.append(range)
      // Any state but done is the true one: a process died after the rename and before it changed
      // the register.
      guard states.allSatisfy({ $0 == .done }) else { continue }
      try nowDirectory.create(NowName(range, .again(batch: .revived, attempt: 0, due: .now)))
      count += range.count
    }
    sync.note()
    if count > 0 {
      queue.note(
        "\(printable(queue.path)): \(count) items have no name in later/ or dead/;"
          + " they are ready again")
    }
    return covered
  }
}

extension Queue {
  /// Calls `body` with the numbers of items that the register lists and that have no name in later/
  /// or dead/, ascending. `old` gets those whose lines were removed because of their age: they were
  /// dropped.
  func forEachUnfiled(
    _ lane: Lane, old: ([Int]) -> Void = { _ in }, _ body: ([Int]) throws(Fault) -> Void
  ) throws(Fault) {
    var oldest: Int?
    try Register(root).forEach(lane) { (first, items) throws(Fault) in
      let names = try namesAside(lane, first..<(first + Register.recordSpan)).map(\.range)
      let missing = Register.numbers(first, items).filter { number in
        !names.contains { $0.numbers.contains(number) }
      }
      if missing.isEmpty { return }
      let limit: Int
      if let oldest { limit = oldest } else { limit = try oldestNumber(lane) }
      oldest = limit
      old(missing.filter { $0 < limit })
      try body(missing.filter { $0 >= limit })
    }
  }

  /// The number of the first item whose line exists; 0 if there is none.
  private func oldestNumber(_ lane: Lane) throws(Fault) -> Int {
    for segment in try segmentNumbers(lane) {
      guard let file = try Segment.open(self, lane, segment) else { continue }
      if case .line(let line) = try SegmentReader(file, lane, segment).line(at: 0, limit: .max) {
        return line.number
      }
      // The segment is damaged at its start: no item counts as old.
      return 0
    }
    return 0
  }
}
