package import PipeIO
package import PipeTime

/// What `list` shows of an entry: its items in one state.
package struct ListedEntry {
  package enum State: String, CaseIterable {
    case ready, claimed, later, dead, done, lost

    /// In which order the items of one entry are listed.
    package static let order: [State] = [.claimed, .ready, .later, .dead, .done]
  }

  package let id: EntryID
  package let priority: Lane
  package let created: Instant
  package let state: State
  /// When the first of its items is ready, if it is in `later`.
  package let due: Instant?
  package let isRecord: Bool
  /// The record's value, or the list of the ids in this state.
  package let data: [UInt8]
  /// Its items that wait, if they were asked for.
  package let waiting: [WaitingItems]

  package init(
    id: EntryID, priority: Lane, created: Instant, state: State, due: Instant?, isRecord: Bool,
    data: [UInt8], waiting: [WaitingItems] = []
  ) {
    self.id = id
    self.priority = priority
    self.created = created
    self.state = state
    self.due = due
    self.isRecord = isRecord
    self.data = data
    self.waiting = waiting
  }
}

extension Queue {
  /// Calls `body` with each entry, lane by lane in order, once for each of `states` that some of
  /// its items are in, until it returns false. Shows one instant of now/, and no entry that came
  /// later. Reads only the ranges that can hold items in these states. Lost items have no entry:
  /// `lost` gets their locations.
  package func list(
    _ states: [ListedEntry.State], at now: Instant,
    lost: (LostItems) throws(Fault) -> Bool = { _ in true },
    _ body: (ListedEntry) throws(Fault) -> Bool
  ) throws(Fault) {
    let listing = try reportedListing()
    let ends = try ends()
    for lane in Lane.allCases {
      let end = ends[lane]
      let line = LaneMap(lane, end: end.position, names: listing.names)
      let limit = listing.early?.limits[lane] ?? 0
      let view = LaneView(self, line, earlyLimit: limit, states, now)
      for range in try ranges(line, states) where try !list(range, view, end, body) { return }
      guard states.contains(.lost) else { continue }
      for range in line.final(.lost) where try !lost(LostItems(range)) { return }
    }
  }

  // The ranges that can hold items in these states, in lane order.
  private func ranges(_ line: LaneMap, _ states: [ListedEntry.State]) throws(Fault) -> [ItemRange] {
    if states.contains(.done) {
      return [ItemRange(lane: line.lane, from: .origin, to: line.end)]
    }
    var ranges: [ItemRange] = []
    if !states.allSatisfy({ $0 == .dead || $0 == .lost }) { ranges += line.undone }
    // Due items in later/ are ready, even if no process has restored them yet.
    let isLaterAsked = states.contains(.later) || states.contains(.ready)
    for kind in SideKind.allCases where kind == .later ? isLaterAsked : states.contains(.dead) {
      for shard in try shards(kind, line.lane) {
        ranges += try namesAside(kind, line.lane, shard).map(\.range)
      }
    }
    if states.contains(.ready) {
      let lookup = Lookup(self)
      let end = try ends()[line.lane]
      try forEachUnfiled(line.lane) { (numbers) throws(Fault) in
        for number in numbers {
          guard let position = try lookup.position(line.lane, of: number, end) else { continue }
          var next = position
          next.number += 1
          ranges.append(ItemRange(lane: line.lane, from: position, to: next))
        }
      }
    }
    return ItemRange.merged(ranges)
  }

  private func list(
    _ range: ItemRange, _ view: LaneView, _ end: LaneEnd,
    _ body: (ListedEntry) throws(Fault) -> Bool
  ) throws(Fault) -> Bool {
    guard range.from.segment <= end.position.segment else { return true }
    for segment in range.from.segment...end.position.segment {
      guard let file = try Segment.open(self, range.lane, segment) else { continue }
      let reader = SegmentReader(file, range.lane, segment)
      let limit = segment == end.position.segment ? end.position.offset : try file.size()
      var offset = segment == range.from.segment ? range.from.offset : 0
      while offset < limit {
        switch try reader.line(at: offset, limit: limit) {
        case .line(let entry):
          if entry.number >= range.to.number { return true }
          defer { offset += entry.length }
          // A line that two ranges share is read twice.
          guard view.isNew(entry) else { continue }
          let line = Position(number: entry.number, segment: segment, offset: offset)
          for listed in try view.listed(entry, at: line) where try !body(listed) { return false }
        case .damaged(let until):
          if try !reader.isPunched(offset..<until) {
            report("\(Segment.path(range.lane, segment)): byte \(offset): damaged, skipped")
          }
          offset = until
        case .end: offset = limit
        }
      }
    }
    return true
  }
}

/// One lane at one instant, from which the state of each item of a line follows.
final class LaneView {
  private let queue: Queue
  private let line: LaneMap
  private let states: [ListedEntry.State]
  private let now: Instant
  private var last = -1
  private var shard = -1
  private var aside = SideMap([])
  private var registered: Set<Int> = []
  /// Names in later/ and dead/ of items below this number may be early.
  private let earlyLimit: Int

  init(
    _ queue: Queue, _ line: LaneMap, earlyLimit: Int, _ states: [ListedEntry.State], _ now: Instant
  ) {
    self.queue = queue
    self.line = line
    self.earlyLimit = earlyLimit
    self.states = states
    self.now = now
  }

  func isNew(_ entry: SegmentLine) -> Bool {
    defer { last = entry.number }
    return entry.number != last
  }

  func listed(_ entry: SegmentLine, at position: Position) throws(Fault) -> [ListedEntry] {
    var groups: [ListedEntry.State: [UInt8]] = [:]
    var waiting: [WaitingItems] = []
    var due: Instant?
    var ids = entry.isRecord ? nil : ItemList(entry.data, skipping: 0)
    for index in 0..<entry.items {
      let data = ids == nil ? entry.data : ids!.next() ?? cut(entry.data, 0, 0)
      guard let (state, ready) = try state(of: entry.number + index, entry) else { continue }
      if state == .later, let ready { due = min(due ?? ready.at, ready.at) }
      if state == .ready || state == .later {
        waiting.append(
          entry.number + index, of: entry, at: position, line.lane,
          due: state == .ready ? nil : ReadyTime(at: .distantFuture, span: .zero), 0, now)
      }
      groups[state, default: []] += groups[state] == nil ? Array(data) : [0x2c] + Array(data)
    }
    return ListedEntry.State.order.filter(states.contains).compactMap { state in
      groups[state].map { data in
        ListedEntry(
          id: entry.id, priority: line.lane, created: entry.firstSeen, state: state,
          due: state == .later ? due : nil, isRecord: entry.isRecord,
          data: entry.isRecord ? data : [0x5b] + data + [0x5d],
          waiting: waiting.filter { $0.isReady == (state == .ready) })
      }
    }
  }

  /// `due`: when an item in `later` is ready. nil for lost and dropped items: `list` shows no entry of
  /// them.
  func state(
    of number: Int, _ entry: SegmentLine
  ) throws(Fault) -> (state: ListedEntry.State, due: ReadyTime?)? {
    let state = line.state(of: number)
    if state == nil, number < earlyLimit {
      try turn(to: number)
      if let name = aside.name(of: number), name.isPassedOver { return self.state(name, entry) }
    }
    if state == .done {
      try turn(to: number)
      if let name = aside.name(of: number) { return self.state(name, entry) }
      return registered.contains(number) ? waiting(until: entry.due) : (.done, nil)
    }
    if state == .lost || state == .dropped { return nil }
    guard let state else { return waiting(until: entry.due) }
    let name = NowName(ItemRange(lane: line.lane, from: .origin, to: .origin), state)
    if name.isHeld(at: now) { return (.claimed, nil) }
    return waiting(until: state.wait(entry)?.due)
  }

  private func state(
    _ name: SideName, _ entry: SegmentLine
  ) -> (state: ListedEntry.State, due: ReadyTime?)? {
    if let state = name.waiting { return waiting(until: state.wait(entry)?.due) }
    return name.isDropped ? nil : (.dead, nil)
  }

  private func waiting(until due: ReadyTime?) -> (state: ListedEntry.State, due: ReadyTime?) {
    due?.isOver(at: now) ?? true ? (.ready, nil) : (.later, due)
  }

  private func turn(to number: Int) throws(Fault) {
    guard number / SideKind.width != shard else { return }
    shard = number / SideKind.width
    let first = shard * SideKind.width
    let numbers = first..<(first + SideKind.width)
    aside = SideMap(try queue.namesAside(line.lane, numbers))
    registered = Set(try Register(queue.root).items(line.lane, numbers))
  }
}
