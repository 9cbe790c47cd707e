package import PipeIO

/// What has become of one entry, as far as the names in the queue say.
package struct EntryStatus {
  /// Of an entry and of each of its slices.
  package enum Word: String {
    case yetToStart = "yet_to_start"
    case triggered
    case completed
    case failed
  }

  package struct Slice {
    /// Counts from 1.
    package let number: Int
    /// The ids of an id request's slice, each in digits; empty for a record.
    package let ids: [String]
    package let word: Word
  }

  package let id: EntryID
  package let word: Word
  package let slices: [Slice]
  /// Microseconds since the epoch.
  package let created: Int64
  /// The most attempts that were made at an item that is not done; nil where none is known.
  package let attempts: Int?
  /// Why it failed, where that is no handler's doing.
  package let reason: String?
}

extension Queue {
  /// nil for an id that no entry before the ends has.
  package func status(_ id: EntryID) throws(Fault) -> EntryStatus? {
    if let view = try look(at: id) { return EntryStatus(view) }
    return try lostLine(id).map { EntryStatus(id, $0) }
  }

  /// Where an entry is and what is known of its items, at one instant.
  func look(at id: EntryID) throws(Fault) -> EntryView? {
    var ends = try ends()
    var found = try Lookup(self).find(id, ends)
    if found == nil, (try? advanceEnds(ends)) == true {
      // A crash had taken back the end, though not what is before it.
      ends = try self.ends()
      found = try Lookup(self).find(id, ends)
    }
    guard let found, case .line(let line) = try found.reader.line(at: found.offset, limit: .max)
    else { return nil }
    return try EntryView(self, line, found, ends)
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

  /// Of an entry whose line is damaged, at this place.
  init(_ id: EntryID, _ place: String) {
    self.id = id
    word = .failed
    slices = []
    created = id.milliseconds * 1000
    attempts = nil
    reason = "lost: its line is damaged: \(place)"
  }
}

extension EntryStatus.Word {
  /// Of a slice, by the states of its items.
  init(_ items: [ItemState]) {
    if items.contains(where: { $0.isDead || $0.isLost }) {
      self = .failed
    } else if items.allSatisfy(\.isDone) {
      self = .completed
    } else {
      self = items.contains(where: \.hasStarted) ? .triggered : .yetToStart
    }
  }

  /// Of an entry, by its slices; `canRun`: whether some item of it still can.
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

/// Names of items that are aside, to be found by number.
struct SideMap {
  private let later: [SideName]
  private let dead: [SideName]

  init(_ names: [SideName]) {
    later = names.filter { $0.kind == .later }
    dead = names.filter { $0.kind == .dead }
  }

  /// nil for what is not aside.
  func state(of number: Int) -> ItemState? {
    if let found = SideMap.name(of: number, later) { return .later(found) }
    return SideMap.name(of: number, dead).map(ItemState.dead)
  }

  private static func name(of number: Int, _ names: [SideName]) -> SideName? {
    let next = names.partitionPoint { $0.range.to.number <= number }
    guard next < names.count, names[next].range.from.number <= number else { return nil }
    return names[next]
  }
}

/// What an item is.
enum ItemState: Equatable {
  /// Never handed out, or given back unharmed.
  case ready
  case now(NowName.State)
  case later(SideName)
  case dead(SideName)

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

  /// nil for what is done or dead, or was never tried.
  var attempts: Int? {
    switch self {
    case .now(.again(_, let attempt, _)), .now(.claim(_, let attempt, _)),
      .now(.hold(_, let attempt, _)):
      attempt
    case .later(let name): attempts(name.waiting)
    case .ready, .now(.done), .now(.lost), .now(.dropped), .dead: nil
    }
  }

  private func attempts(_ state: NowName.State?) -> Int {
    if case .again(_, let attempt, _) = state { attempt } else { 0 }
  }
}

/// An entry, its line, and the names that its items have.
struct EntryView {
  let line: SegmentLine
  /// Keeps the bytes of `line`.
  let reader: SegmentReader
  let offset: Int
  let lane: Lane
  private(set) var names: [NowName]
  let ends: LaneEnds
  /// Of its items alone.
  private var near: LaneMap
  private var aside: SideMap
  /// Numbers of its items that must have a name aside.
  private var registered: Set<Int> = []

  init(_ queue: Queue, _ line: SegmentLine, _ found: Lookup.Found, _ ends: LaneEnds) throws(Fault) {
    self.line = line
    (reader, offset, lane) = (found.reader, found.offset, found.lane)
    self.ends = ends
    let numbers = line.number..<(line.number + line.items)
    let end = ends[found.lane].place
    // Between now/ and the directories beside it items are in both: what is the same before and after
    // the look at now/ was not on its way.
    var before = try queue.namesAside(lane, numbers)
    while true {
      names = try queue.reportedNames()
      near = LaneMap(lane, end: end, names: names.filter { $0.isOf(found.lane, numbers) })
      aside = SideMap(before)
      guard near.names.contains(where: \.isDone) else { return }
      registered = Set(try Register(queue.root).items(lane, numbers))
      let after = try queue.namesAside(lane, numbers)
      if after == before { return }
      before = after
    }
  }

  var numbers: Range<Int> { line.number..<(line.number + line.items) }

  func state(of number: Int) -> ItemState {
    let state = near.state(of: number)
    guard state == .done else { return state.map(ItemState.now) ?? .ready }
    // Its name was lost, not its line: nobody did it.
    return aside.state(of: number) ?? (registered.contains(number) ? .ready : .now(.done))
  }
}
