package import PipeIO

/// What `list` shows of an entry: those of its items that are in one state.
package struct ListedEntry {
  package enum State: String {
    case ready, claimed, done
  }

  package let id: EntryID
  package let priority: Priority
  package let created: Int64
  package let state: State
  package let isRecord: Bool
  /// The record's value, or the list of the ids in this state.
  package let data: [UInt8]
}

extension Queue {
  /// Calls `body` with each entry, lane by lane in order, once for each state that items of it are in,
  /// until it says false. Shows one instant of now/, and no entry that came later. Unless done ones are
  /// wanted, only what is not done is read.
  package func list(includingDone: Bool, _ body: (ListedEntry) throws(Fault) -> Bool) throws(Fault)
  {
    let names = try namesNow()
    let ends = try ends()
    for lane in Priority.allCases {
      let line = LaneLine(lane, end: ends[lane].place, names: names)
      let end = ends[lane]
      let whole = ItemRange(lane: lane, from: .origin, to: end.place)
      for range in includingDone ? [whole] : line.undone where try !list(range, line, end, body) {
        return
      }
    }
  }

  private func list(
    _ range: ItemRange, _ line: LaneLine, _ end: EndMark,
    _ body: (ListedEntry) throws(Fault) -> Bool
  ) throws(Fault) -> Bool {
    guard range.from.segment <= end.place.segment else { return true }
    for segment in range.from.segment...end.place.segment {
      guard let file = try Segment.open(self, line.lane, segment) else { continue }
      let reader = SegmentReader(file, line.lane, segment)
      let limit = segment == end.place.segment ? end.place.offset : try file.size()
      var offset = segment == range.from.segment ? range.from.offset : 0
      while offset < limit {
        switch try reader.line(at: offset, limit: limit) {
        case .line(let entry):
          if entry.number >= range.to.number { return true }
          for listed in line.listed(entry) where try !body(listed) { return false }
          offset += entry.length
        case .damaged(let until):
          report("\(Segment.path(line.lane, segment)): byte \(offset): damaged, not shown")
          offset = until
        case .end: offset = limit
        }
      }
    }
    return true
  }
}

extension LaneLine {
  fileprivate func listed(_ entry: SegmentLine) -> [ListedEntry] {
    var groups: [ListedEntry.State: [UInt8]] = [:]
    var ids = entry.isRecord ? nil : ItemList(entry.data, skipping: 0)
    for index in 0..<entry.items {
      let state = ListedEntry.State(state(of: entry.number + index))
      let data = ids == nil ? entry.data : ids!.next() ?? cut(entry.data, 0, 0)
      groups[state, default: []] += groups[state] == nil ? Array(data) : [0x2c] + Array(data)
    }
    return [.claimed, .ready, .done].compactMap { state in
      groups[state].map { data in
        ListedEntry(
          id: entry.id, priority: lane, created: entry.firstSeen, state: state,
          isRecord: entry.isRecord, data: entry.isRecord ? data : [0x5b] + data + [0x5d])
      }
    }
  }
}

extension ListedEntry.State {
  fileprivate init(_ state: NowName.State?) {
    switch state {
    case .none, .again: self = .ready
    case .claim: self = .claimed
    case .done: self = .done
    }
  }
}
