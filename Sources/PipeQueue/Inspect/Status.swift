package import PipeIO
package import PipeTime

/// The status of one entry, as the names and lines of the queue give it.
package struct EntryStatus {
  /// The status of an entry, or of one of its slices.
  package enum Word: String {
    case yetToStart = "yet_to_start"
    case triggered
    case completed
    case failed
  }

  package struct Slice {
    /// Counts from 1.
    package let number: Int
    /// The ids of an id request's slice, in digits; empty for a record.
    package let ids: [String]
    package let word: Word
  }

  package let id: EntryID
  package let word: Word
  package let slices: [Slice]
  package let created: Instant
  /// The most attempts at any item that is not done; nil if none is known.
  package let attempts: Int?
  /// Why the entry failed, if no handler caused it.
  package let reason: String?
}

extension EntryStatus {
  /// The state of an item, as far as a status depends on it.
  package enum Item {
    case waiting(attempts: Int)
    /// In a batch that is not settled.
    case claimed(attempts: Int)
    case done, dead

    fileprivate var attempts: Int? {
      switch self {
      case .waiting(let attempts), .claimed(let attempts): attempts
      case .done, .dead: nil
      }
    }
  }

  /// Of an entry whose items have these states. `slice`: items per slice; 1 for a record. `ids`: those of an id
  /// request, in digits; empty for a record.
  package init(_ id: EntryID, created: Instant, slice: Int, ids: [String], items: [Item]) {
    var slices: [Slice] = []
    for start in stride(from: 0, to: items.count, by: slice) {
      let range = start..<min(items.count, start + slice)
      slices.append(
        Slice(
          number: slices.count + 1, ids: ids.isEmpty ? [] : Array(ids[range]),
          word: Word(Array(items[range]))))
    }
    self.id = id
    self.created = created
    self.slices = slices
    let canRun = items.contains { $0.attempts != nil }
    word = Word(of: slices.map(\.word), canRun: canRun)
    attempts = items.compactMap(\.attempts).max().flatMap { $0 > 0 ? $0 : nil }
    reason = nil
  }
}

extension EntryStatus.Word {
  fileprivate init(_ items: [EntryStatus.Item]) {
    let isDead = items.contains { if case .dead = $0 { true } else { false } }
    let isDone = items.allSatisfy { if case .done = $0 { true } else { false } }
    let hasStarted = items.contains {
      switch $0 {
      case .waiting(let attempts): attempts > 0
      case .claimed, .done, .dead: true
      }
    }
    self = isDead ? .failed : isDone ? .completed : hasStarted ? .triggered : .yetToStart
  }
}

extension Queue {
  /// nil if no line before the lane ends, intact or damaged, has this id.
  package func status(_ id: EntryID) throws(Fault) -> EntryStatus? {
    if let view = try look(at: id) { return EntryStatus(view) }
    return try lostLine(id).map { EntryStatus(id, $0) }
  }

  /// Where an entry is and which state its items are in, at one instant.
  func look(at id: EntryID) throws(Fault) -> EntryView? {
    var ends = try ends()
    var found = try Lookup(self).find(id, ends)
    if found == nil, (try? advanceEnds(ends)) == true {
      // A crash may have undone the rename of a lane end, but not the lines before it.
      ends = try self.ends()
      found = try Lookup(self).find(id, ends)
    }
    guard let found, case .line(let line) = try found.reader.line(at: found.offset, limit: .max)
    else { return nil }
    let view = try EntryView(self, line, found, ends)
    // `change --priority` drops the items here after it stored the entry again in another lane.
    guard view.isDead, let moved = try Lookup(self).findAgain(id, ends, after: found),
      case .line(let copy) = try moved.reader.line(at: moved.offset, limit: .max)
    else { return view }
    return try EntryView(self, copy, moved, ends)
  }
}

extension EntryStatus {
  init(_ view: EntryView) {
    let line = view.line
    let per = max(1, line.slice)
    var ids = line.isRecord ? nil : ItemList(line.data, skipping: 0)
    var slices: [Slice] = []
    var attempts: Int?
    for start in stride(from: 0, to: line.items, by: per) {
      let items = start..<min(line.items, start + per)
      let texts =
        ids == nil
        ? [] : items.compactMap { _ in ids!.next().map { String(decoding: $0, as: UTF8.self) } }
      let states = items.map { view.state(of: line.number + $0) }
      attempts = ([attempts] + states.map(\.attempts)).compactMap { $0 }.max()
      slices.append(Slice(number: slices.count + 1, ids: texts, word: Word(states)))
    }
    id = line.id
    self.slices = slices
    let canRun = view.numbers.contains {
      let state = view.state(of: $0)
      return !state.isDone && !state.isDead && !state.isLost
    }
    word = Word(of: slices.map(\.word), canRun: canRun)
    created = line.firstSeen
    self.attempts = attempts.flatMap { $0 > 0 ? $0 : nil }
    let isLost = view.numbers.contains { view.state(of: $0).isLost }
    reason = isLost ? "lost: its line was damaged or missing when its turn came" : nil
  }

  /// For an entry whose line is damaged; `position` names the line.
  init(_ id: EntryID, _ position: String) {
    self.id = id
    word = .failed
    slices = []
    created = id.time
    attempts = nil
    reason = "lost: its line is damaged: \(position)"
  }
}

extension EntryStatus.Word {
  /// For a slice, from the states of its items.
  init(_ items: [ItemState]) {
    if items.contains(where: { $0.isDead || $0.isLost }) {
      self = .failed
    } else if items.allSatisfy(\.isDone) {
      self = .completed
    } else {
      self = items.contains(where: \.hasStarted) ? .triggered : .yetToStart
    }
  }

  /// For an entry, from its slices. `canRun`: whether any of its items can still run.
  init(of slices: [Self], canRun: Bool) {
    if slices.allSatisfy({ $0 == .completed }) {
      self = .completed
    } else if slices.contains(.failed), !canRun {
      self = .failed
    } else {
      self = slices.allSatisfy { $0 == .yetToStart } ? .yetToStart : .triggered
    }
  }
}

extension NowName {
  func isOf(_ lane: Lane, _ numbers: Range<Int>) -> Bool {
    range.lane == lane && range.touches(numbers)
  }
}

/// Names in later/ and dead/, found by item number.
struct SideMap {
  private let later: [SideName]
  private let dead: [SideName]

  init(_ names: [SideName]) {
    later = names.filter { $0.kind == .later }
    dead = names.filter { $0.kind == .dead }
  }

  /// nil if the item is in neither of them.
  func name(of number: Int) -> SideName? {
    SideMap.name(of: number, later) ?? SideMap.name(of: number, dead)
  }

  private static func name(of number: Int, _ names: [SideName]) -> SideName? {
    let next = names.partitionPoint { $0.range.to.number <= number }
    guard next < names.count, names[next].range.from.number <= number else { return nil }
    return names[next]
  }
}

/// The state of an item.
enum ItemState: Equatable {
  /// Never handed out, or given back with no attempt counted, or its name in later/ or dead/ was
  /// lost.
  case ready
  case now(NowName.State)
  case later(SideName)
  case dead(SideName)

  init(_ name: SideName) { self = name.kind == .later ? .later(name) : .dead(name) }

  /// Whether it was handed out at least once.
  var hasStarted: Bool {
    switch self {
    case .ready: false
    case .now(.again(_, let attempt, _)), .now(.claim(_, let attempt, _)): attempt > 0
    case .later(let name): attempts(name.waiting) > 0
    case .now, .dead: true
    }
  }

  var isDone: Bool { if case .now(.done) = self { true } else { false } }
  var isLost: Bool { self == .now(.lost) || self == .now(.dropped) }
  var isDead: Bool { if case .dead = self { true } else { false } }

  /// nil for items that are ready, done, dead or lost.
  var attempts: Int? {
    switch self {
    case .now(.again(_, let attempt, _)), .now(.claim(_, let attempt, _)),
      .now(.hold(_, let attempt, _)):
      attempt
    case .later(let name): attempts(name.waiting)
    case .ready, .now(.done), .now(.lost), .now(.dropped), .dead: nil
    }
  }

  /// When a waiting item is ready (nil: it never had to wait), and its attempts so far; nil if it does not wait.
  /// `line`: of its entry.
  func wait(_ line: SegmentLine) -> (due: ReadyTime?, attempts: Int)? {
    switch self {
    case .ready: (line.due, 0)
    case .now(let state): state.wait(line)
    case .later(let name): name.waiting?.wait(line)
    case .dead: nil
    }
  }

  private func attempts(_ state: NowName.State?) -> Int {
    if case .again(_, let attempt, _) = state { attempt } else { 0 }
  }
}

/// An entry, its line, and the names of its items.
struct EntryView {
  let line: SegmentLine
  /// Owns the bytes of `line`.
  let reader: SegmentReader
  let offset: Int
  let lane: Lane
  private(set) var names: [NowName]
  private(set) var early: EarlyHint?
  let ends: LaneEnds
  /// From the names of its items alone.
  private var near: LaneMap
  private var aside: SideMap
  /// The numbers of its items that the register lists.
  private var registered: Set<Int> = []

  /// Whether every item of it is a dead letter, dropped or not.
  var isDead: Bool { numbers.allSatisfy { state(of: $0).isDead } }

  init(_ queue: Queue, _ line: SegmentLine, _ found: Lookup.Found, _ ends: LaneEnds) throws(Fault) {
    self.line = line
    (reader, offset, lane) = (found.reader, found.offset, found.lane)
    self.ends = ends
    let numbers = line.number..<(line.number + line.items)
    let end = ends[found.lane].position
    // An item that moves between now/ and later/ or dead/ is in both for a while. Names that are
    // the same before and after the listing of now/ were not moving.
    var before = try queue.namesAside(lane, numbers)
    while true {
      let listing = try queue.reportedListing()
      names = listing.names
      early = listing.early
      near = LaneMap(lane, end: end, names: names.filter { $0.isOf(found.lane, numbers) })
      aside = SideMap(before)
      guard near.names.contains(where: \.isDone) || numbers.contains(where: isEarly) else { return }
      registered = Set(try Register(queue.root).items(lane, numbers))
      let after = try queue.namesAside(lane, numbers)
      if after == before { return }
      before = after
    }
  }

  var numbers: Range<Int> { line.number..<(line.number + line.items) }

  /// Whether no name in now/ covers the item, and a name in later/ or dead/ may count nevertheless.
  private func isEarly(_ number: Int) -> Bool {
    number < early?.limits[lane] ?? 0 && near.state(of: number) == nil
  }

  func state(of number: Int) -> ItemState {
    let state = near.state(of: number)
    if let state, state != .done { return .now(state) }
    if let name = aside.name(of: number), state == .done || name.isPassedOver && isEarly(number) {
      return ItemState(name)
    }
    // If the register lists the item, its name was lost, not its line: no process has done it.
    return state == nil || registered.contains(number) ? .ready : .now(.done)
  }
}
