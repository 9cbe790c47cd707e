package import PipeIO

/// What has become of one entry, as far as the names in now/ say.
package struct EntryStatus {
  /// Of an entry and of each of its slices.
  package enum Word: String {
    case yetToStart = "yet_to_start"
    case triggered
    case completed
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
    var ends = try ends()
    var found = try Lookup(self).find(id, ends)
    if found == nil, (try? advanceEnds(ends)) == true {
      // A crash had taken back the end, though not what is before it.
      ends = try self.ends()
      found = try Lookup(self).find(id, ends)
    }
    guard let found, case .line(let line) = try found.reader.line(at: found.offset, limit: .max)
    else { return nil }
    return EntryStatus(
      line, LaneLine(found.lane, end: ends[found.lane].place, names: try namesNow()))
  }
}

extension EntryStatus {
  init(_ line: SegmentLine, _ lane: LaneLine) {
    let all = line.number..<(line.number + line.items)
    let near = LaneLine(
      lane.lane, end: lane.end, names: lane.names.filter { $0.range.touches(all) })
    var ids = line.isRecord ? nil : ItemList(line.data, skipping: 0)
    var slices: [Slice] = []
    for start in stride(from: all.lowerBound, to: all.upperBound, by: max(1, line.slice)) {
      let items = start..<min(all.upperBound, start + max(1, line.slice))
      let texts =
        ids == nil
        ? [] : items.compactMap { _ in ids!.next().map { String(decoding: $0, as: UTF8.self) } }
      slices.append(
        Slice(number: slices.count + 1, ids: texts, word: Word(items.map(near.state(of:)))))
    }
    id = line.id
    self.slices = slices
    word = Word(of: slices.map(\.word))
    created = line.firstSeen
    attempts = near.names.compactMap(\.attempts).max()
  }
}

extension EntryStatus.Word {
  /// Of a slice, by the states of its items.
  init(_ items: [NowName.State?]) {
    if items.allSatisfy({ $0 == .done }) {
      self = .completed
    } else {
      self = items.contains { $0.map(\.hasStarted) ?? false } ? .triggered : .yetToStart
    }
  }

  /// Of an entry, by its slices.
  init(of slices: [Self]) {
    if slices.allSatisfy({ $0 == .completed }) {
      self = .completed
    } else {
      self = slices.allSatisfy { $0 == .yetToStart } ? .yetToStart : .triggered
    }
  }
}

extension NowName {
  fileprivate var attempts: Int? {
    switch state {
    case .claim(_, let attempt, _), .again(_, let attempt, _): attempt
    case .done: nil
    }
  }
}

extension NowName.State {
  /// Whether an item in this state was dispatched at least once.
  fileprivate var hasStarted: Bool {
    if case .again(_, let attempt, _) = self { attempt > 0 } else { true }
  }
}

extension ItemRange {
  fileprivate func touches(_ numbers: Range<Int>) -> Bool {
    from.number < numbers.upperBound && numbers.lowerBound < to.number
  }
}
