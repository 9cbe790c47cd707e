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
}

extension Queue {
  /// nil for an id that no entry before the ends has.
  package func status(_ id: EntryID) throws(Fault) -> EntryStatus? {
    try look(at: id).map(EntryStatus.init)
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

/// An entry, its line, and the names that its items have.
struct EntryView {
  let line: SegmentLine
  /// Keeps the bytes of `line`.
  let reader: SegmentReader
  let offset: Int
  let lane: Priority
  private(set) var names: [NowName]
  let ends: Ends
  /// Of its items alone.
  private var near: LaneLine
  private var aside: AsideLine

  init(_ queue: Queue, _ line: SegmentLine, _ found: Lookup.Found, _ ends: Ends) throws(Fault) {
    self.line = line
    (reader, offset, lane) = (found.reader, found.offset, found.lane)
    self.ends = ends
    let numbers = line.number..<(line.number + line.items)
    let end = ends[found.lane].place
    // Between now/ and the directories beside it items are in both: what is the same before and after
    // the look at now/ was not on its way.
    var before = try queue.namesAside(lane, numbers)
    while true {
      names = try queue.namesNow()
      near = LaneLine(lane, end: end, names: names.filter { $0.isOf(found.lane, numbers) })
      aside = AsideLine(before)
      guard near.names.contains(where: \.isDone) else { return }
      let after = try queue.namesAside(lane, numbers)
      if after == before { return }
      before = after
    }
  }

  var numbers: Range<Int> { line.number..<(line.number + line.items) }

  func state(of number: Int) -> ItemState {
    let state = near.state(of: number)
    guard state == .done else { return state.map(ItemState.now) ?? .ready }
    return aside.state(of: number) ?? .now(.done)
  }
}

/// Names of items that are aside, to be found by number.
struct AsideLine {
  private let later: [AsideName]
  private let dead: [AsideName]

  init(_ names: [AsideName]) {
    later = names.filter { $0.kind == .later }
    dead = names.filter { $0.kind == .dead }
  }

  /// nil for what is not aside.
  func state(of number: Int) -> ItemState? {
    if let found = AsideLine.name(of: number, later) { return .later(found) }
    return AsideLine.name(of: number, dead).map(ItemState.dead)
  }

  private static func name(of number: Int, _ names: [AsideName]) -> AsideName? {
    var low = 0
    var high = names.count
    while low < high {
      let middle = (low + high) / 2
      if names[middle].range.to.number <= number { low = middle + 1 } else { high = middle }
    }
    guard low < names.count, names[low].range.from.number <= number else { return nil }
    return names[low]
  }
}

/// What an item is.
enum ItemState {
  /// Never handed out, or given back unharmed.
  case ready
  case now(NowName.State)
  case later(AsideName)
  case dead(AsideName)

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
  var isDead: Bool { if case .dead = self { true } else { false } }

  /// nil for what is done or dead, or was never tried.
  var attempts: Int? {
    switch self {
    case .now(.again(_, let attempt, _)), .now(.claim(_, let attempt, _)),
      .now(.hold(_, let attempt, _)):
      attempt
    case .later(let name): attempts(name.waiting)
    case .ready, .now(.done), .dead: nil
    }
  }

  private func attempts(_ state: NowName.State?) -> Int {
    if case .again(_, let attempt, _) = state { attempt } else { 0 }
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
      return !state.isDone && !state.isDead
    }
    word = Word(of: slices.map(\.word), canRun: canRun)
    created = line.firstSeen
    self.attempts = attempts.flatMap { $0 > 0 ? $0 : nil }
  }
}

extension EntryStatus.Word {
  /// Of a slice, by the states of its items.
  init(_ items: [ItemState]) {
    if items.contains(where: \.isDead) {
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
  func isOf(_ lane: Priority, _ numbers: Range<Int>) -> Bool {
    range.lane == lane && range.touches(numbers)
  }
}
