package import PipeIO
package import PipeTime

/// How many items of a lane are in each state, and which of them wait.
package struct LaneCensus {
  package let ready: Int
  package let claimed: Int
  package let later: Int
  package let dead: Int
  package let done: Int
  /// Items that no intact line held when their turn came, and that were not dropped.
  package let lost: Int
  /// When the oldest ready item was accepted.
  package fileprivate(set) var oldestReady: Instant?
  /// When the oldest waiting item, ready or later, was accepted.
  package fileprivate(set) var oldestWaiting: Instant?
  /// Entries that the lane ever took.
  package let entries: Int
  /// Items that the lane ever took.
  package let items: Int
  /// Numbers of the waiting items; the ranges do not overlap.
  private let waiting: [Range<Int>]

  fileprivate init(_ ranges: LaneRanges, waiting: [Range<Int>], _ end: LaneEnd) {
    entries = end.entries
    items = end.position.number
    ready = ranges.ready.items
    claimed = ranges.claimed.items
    later = ranges.later.items
    dead = ranges.dead.items
    lost = ranges.lost.items
    // Items in later/, dead/ or the register are done in now/.
    done = max(0, ranges.final.items - ranges.aside)
    self.waiting = waiting
  }

  /// `waiting`: numbers of the waiting items, ready or later, in ranges that do not overlap.
  package init(
    entries: Int, items: Int, ready: Int, claimed: Int, later: Int, dead: Int,
    oldestReady: Instant?, oldestWaiting: Instant?, waiting: [Range<Int>]
  ) {
    (self.oldestReady, self.oldestWaiting) = (oldestReady, oldestWaiting)
    self.entries = entries
    self.items = items
    self.ready = ready
    self.claimed = claimed
    self.later = later
    self.dead = dead
    lost = 0
    done = max(0, items - ready - claimed - later - dead)
    self.waiting = waiting
  }

  /// How many waiting items have a number below `number`.
  package func waiting(below number: Int) -> Int {
    waiting.reduce(0) { $0 + max(0, min($1.upperBound, number) - $1.lowerBound) }
  }
}

/// The items of a lane, by state.
private struct LaneRanges {
  private(set) var ready: [ItemRange]
  private(set) var claimed: [ItemRange]
  private(set) var later: [ItemRange] = []
  private(set) var dead: [ItemRange] = []
  let lost: [ItemRange]
  /// Done in now/.
  let final: [ItemRange]
  /// How many items of `final` have another state by later/, dead/ or the register.
  private(set) var aside = 0
  /// Ranges with a state in now/ that beats later/ and dead/, and ranges that no name in now/ covers.
  private let undone: [ItemRange]
  private let untouched: [ItemRange]

  init(_ line: LaneMap, at now: Instant) {
    untouched = line.untouched
    ready = untouched
    claimed = ItemRange.merged(line.names.filter { $0.isHeld(at: now) }.map(\.range))
    undone = line.undone
    lost = line.final(.lost)
    final = line.final(.done)
    for name in line.waiting where !name.isHeld(at: now) {
      if name.due?.isOver(at: now) == true {
        ready.append(name.range)
      } else {
        later.append(name.range)
      }
    }
  }

  /// `parked` beats `letters`.
  mutating func add(parked: [SideName], letters: [SideName], at now: Instant) {
    let early = (parked + letters).filter {
      $0.isPassedOver && untouched.containsOne(with: $0.range)
    }
    ready = ready.flatMap { $0.removing(ItemRange.merged(early.map(\.range))) }
    for name in early { add(name, at: now) }
    let parked = parked.filter { !$0.range.overlaps(undone) }
    let beaten = ItemRange.merged(parked.map(\.range))
    for name in parked
      + letters.filter({ !$0.range.overlaps(undone) && !$0.range.overlaps(beaten) })
    {
      add(name, at: now)
      aside += name.range.count
    }
  }

  private mutating func add(_ name: SideName, at now: Instant) {
    if name.kind == .dead {
      if !name.isDropped { dead.append(name.range) }
    } else if name.isOver(at: now) {
      ready.append(name.range)
    } else {
      later.append(name.range)
    }
  }

  /// Adds items that only the register lists: their names are lost, and they are ready.
  mutating func add(unfiled ranges: [ItemRange]) {
    for range in ranges where final.contains(where: { $0.contains(range) }) {
      ready.append(range)
      aside += 1
    }
  }

  /// Adds items that the register lists and whose lines were removed because of their age: they
  /// were dropped.
  mutating func add(dropped count: Int) { aside += count }
}

extension Queue {
  /// Counts names and reads two lines for each lane, plus the delayed entries that it skips: the
  /// cost grows with the dead and delayed items, not with the waiting or done ones. A delayed entry
  /// that no consumer has met yet counts as ready.
  package func census(at now: Instant) throws(Fault) -> [LaneCensus] {
    let names = try reportedNames()
    let ends = try ends()
    return try Lane.allCases.map { (lane) throws(Fault) in
      let end = ends[lane]
      var ranges = LaneRanges(LaneMap(lane, end: end.position, names: names), at: now)
      let parked = try namesAside(.later, lane)
      ranges.add(parked: parked, letters: try namesAside(.dead, lane), at: now)
      try addUnfiled(lane, to: &ranges)
      let waiting = ItemRange.merged(ranges.ready + ranges.later)
      var census = LaneCensus(ranges, waiting: waiting.map(\.numbers), end)
      census.oldestReady = try accepted(ItemRange.merged(ranges.ready).first, end, passing: now)
      census.oldestWaiting = try accepted(waiting.first, end, passing: nil)
      return census
    }
  }

  private func addUnfiled(_ lane: Lane, to ranges: inout LaneRanges) throws(Fault) {
    var (found, old): ([ItemRange], Int) = ([], 0)
    try forEachUnfiled(lane, old: { old += $0.count }) { numbers in
      // Only the number is counted.
      found += numbers.map {
        let position = Position(number: $0, segment: 0, offset: 0)
        return ItemRange(
          lane: lane, from: position, to: Position(number: $0 + 1, segment: 0, offset: 0))
      }
    }
    ranges.add(unfiled: found)
    ranges.add(dropped: old)
  }

  // All names of a lane, in lane order.
  private func namesAside(_ kind: SideKind, _ lane: Lane) throws(Fault) -> [SideName] {
    var found: [SideName] = []
    for shard in try shards(kind, lane) { found += try namesAside(kind, lane, shard) }
    return found
  }

  // When the first item of a range was accepted. `passing`: skips entries whose delay is not over
  // at that time, up to `mostPassed` of them.
  private func accepted(
    _ range: ItemRange?, _ end: LaneEnd, passing now: Instant?
  ) throws(Fault) -> Instant? {
    guard let range else { return nil }
    var found: Instant?
    var passed = 0
    _ = try Lookup(self).lines(range.lane, at: range.from, upTo: end) { line, _, _ in
      if let now, line.isDelayed(at: now), passed < Queue.mostPassed {
        passed += 1
        return true
      }
      found = line.time
      return false
    }
    return found
  }

  private static let mostPassed = 10_000
}

extension ItemRange {
  /// Whether it overlaps one of `ranges`, which are merged.
  fileprivate func overlaps(_ ranges: [ItemRange]) -> Bool {
    let next = ranges.partitionPoint { $0.to.number <= from.number }
    return next < ranges.count && overlaps(ranges[next])
  }
}

/// The items stored from some instant on.
package struct Arrivals {
  package fileprivate(set) var items = 0
  /// When the first and the last of them were accepted.
  package fileprivate(set) var first: Instant?
  package fileprivate(set) var last: Instant?

  package init(items: Int = 0, first: Instant? = nil, last: Instant? = nil) {
    self.items = items
    self.first = first
    self.last = last
  }
}

extension Queue {
  /// `since`: the epoch for all that is kept. Found by binary search.
  package func arrivals(since: Instant) throws(Fault) -> Arrivals {
    let ends = try ends()
    var found = Arrivals()
    for lane in Lane.allCases {
      let end = ends[lane]
      guard let line = try first(lane, since, end) else { continue }
      found.items += end.position.number - line.number
      found.first = min(found.first ?? .distantFuture, line.time)
      found.last = max(found.last ?? .distantPast, end.time)
    }
    return found
  }

  /// For each lane, the number of the first item that was accepted at `time` or later.
  package func numbers(from time: Instant) throws(Fault) -> [Int] {
    let ends = try ends()
    return try Lane.allCases.map { (lane) throws(Fault) in
      try first(lane, time, ends[lane])?.number ?? ends[lane].position.number
    }
  }

  private func first(
    _ lane: Lane, _ time: Instant, _ end: LaneEnd
  ) throws(Fault) -> (number: Int, time: Instant)? {
    var found: (number: Int, time: Instant)?
    try Lookup(self).lines(lane, from: time, upTo: end) { line, _, _ in
      found = (line.number, line.time)
      return false
    }
    return found
  }
}
