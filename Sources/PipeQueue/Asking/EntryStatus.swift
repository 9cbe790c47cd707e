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
    reason = isLost ? "lost: no intact line held its items when their turn came" : nil
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
  func isOf(_ lane: Priority, _ numbers: Range<Int>) -> Bool {
    range.lane == lane && range.touches(numbers)
  }
}
