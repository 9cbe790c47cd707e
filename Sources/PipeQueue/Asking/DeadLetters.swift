internal import CPipeIO
internal import Glibc
package import PipeIO

/// Dead letters of one entry that were treated alike.
package struct Treated {
  package let id: EntryID
  package var items: Int

  package init(id: EntryID, items: Int) {
    self.id = id
    self.items = items
  }
}

extension Queue {
  /// Calls `body` with each dead letter, lane by lane in order, until it says false.
  package func deadLetters(
    _ body: (DeadLetter) throws(Fault) -> Bool
  ) throws(Fault) {
    try forEachShard { (names) throws(Fault) in
      for name in names {
        if let letter = try letter(name), try !body(letter) { return false }
      }
      return true
    }
  }

  /// Those of one entry; nil for an id that no entry has.
  package func deadLetters(of id: EntryID) throws(Fault) -> [DeadLetter]? {
    guard let view = try look(at: id) else { return nil }
    var found: [DeadLetter] = []
    for name in try dead(of: view) { if let letter = try letter(name) { found.append(letter) } }
    return found
  }

  /// Makes the dead items of an entry ready again, as if they had never been tried. How many there were.
  package func revive(_ id: EntryID) throws(Fault) -> Int {
    guard let view = try look(at: id) else { return 0 }
    return try revive(try dead(of: view)).count
  }

  /// The same of all dead items of the queue.
  package func reviveAll(_ body: (Treated) throws(Fault) -> Void) throws(Fault) {
    try treatAll(revive, body)
  }

  /// Removes the dead items of an entry; what they were part of stays failed. How many there were.
  package func drop(_ id: EntryID) throws(Fault) -> Int {
    guard let view = try look(at: id) else { return 0 }
    return try drop(try dead(of: view)).count
  }

  package func dropAll(_ body: (Treated) throws(Fault) -> Void) throws(Fault) {
    try treatAll(drop, body)
  }

  private func treatAll(
    _ treat: ([AsideName]) throws(Fault) -> [AsideName],
    _ body: (Treated) throws(Fault) -> Void
  ) throws(Fault) {
    try forEachShard { (names) throws(Fault) in
      // Before it is done: what is dropped keeps no segment.
      let ids = try names.map { (name) throws(Fault) in try line(name)?.id ?? .delayed }
      let done = Set(try treat(names).map(\.text))
      var treated: [Treated] = []
      for (name, id) in zip(names, ids) where done.contains(name.text) {
        if treated.last?.id != id { treated.append(Treated(id: id, items: 0)) }
        treated[treated.count - 1].items += 1
      }
      for entry in treated { try body(entry) }
      return true
    }
  }

  private func forEachShard(_ body: ([AsideName]) throws(Fault) -> Bool) throws(Fault) {
    for lane in Priority.allCases {
      for shard in try shards(.dead, lane) {
        var names = try namesAside(.dead, lane, shard).filter { !$0.isDropped }
        // On its way back already, after a crash.
        let back = AsideLine(try namesAside(.later, lane, shard))
        names.removeAll { back.state(of: $0.range.from.number) != nil }
        if try !body(names) { return }
      }
    }
  }

  private func dead(of view: EntryView) throws(Fault) -> [AsideName] {
    try namesAside(view.lane, view.numbers).filter { name in
      guard case .dead = view.state(of: name.range.from.number) else { return false }
      return name.kind == .dead && !name.isDropped
    }
  }

  /// Those that are dead still: somebody else may have treated them since they were looked up, or be about
  /// to bury them. Under the locks of later/ and now/, without which nothing that is dead changes.
  private func stillDead(_ names: [AsideName]) throws(Fault) -> [AsideName] {
    let listing = try listNow()
    let ends = try ends()
    let lines = Priority.allCases.map { LaneLine($0, end: ends[$0].place, names: listing.names) }
    var found: [AsideName] = []
    for group in AsideGroup.split(names) {
      let dead = Set(try namesAside(.dead, group.lane, group.shard).map(\.text))
      let back = AsideLine(try namesAside(.later, group.lane, group.shard))
      let line = lines[Int(group.lane.rawValue)]
      found += group.names.filter {
        let number = $0.range.from.number
        return dead.contains($0.text) && back.state(of: number) == nil
          && line.state(of: number) == .done
      }
    }
    return found
  }

  // First the mark, then the file in later/, then away with the one in dead/: at any instant the item is
  // one or the other, and found.
  private func revive(_ candidates: [AsideName]) throws(Fault) -> [AsideName] {
    guard !candidates.isEmpty else { return [] }
    let later = try root.existing(Aside.later.rawValue)
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    try lockNow(exclusive: true)
    let names: [AsideName]
    do throws(Fault) {
      names = try stillDead(candidates)
      if !names.isEmpty { try lowerMark(to: 0, adding: names.count, at: Clock.now()) }
    } catch {
      unlockNow()
      throw error
    }
    unlockNow()
    if names.isEmpty { return [] }
    try now().flush()
    let waiting = NowName.State.again(batch: .revived, attempt: 0, due: .now)
    for group in AsideGroup.split(names) {
      let from = try root.existing(group.path)
      let to = try asideDirectory(.later, group.lane, group.shard)
      for name in group.names {
        let new = AsideName(range: name.range, waiting: waiting)
        let file = try Descriptor.create(new.text, in: to, O_WRONLY | O_TRUNC)
        let known = History.lines(from.history(name.text), of: name.range.from.number, group.lane)
        if !known.isEmpty { try known.write(to: file, at: 0) }
      }
      try to.flush()
    }
    try removeAside(names)
    return names
  }

  private func drop(_ candidates: [AsideName]) throws(Fault) -> [AsideName] {
    guard !candidates.isEmpty else { return [] }
    let later = try root.existing(Aside.later.rawValue)
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    try lockNow(exclusive: true)
    let names: [AsideName]
    do throws(Fault) { names = try stillDead(candidates) } catch {
      unlockNow()
      throw error
    }
    unlockNow()
    for group in AsideGroup.split(names) {
      let directory = try root.existing(group.path)
      for name in group.names {
        var dropped = name
        dropped.isDropped = true
        if try directory.rename(name.text, to: dropped.text) == .taken {
          try directory.remove(name.text)
        }
      }
      try directory.flush()
    }
    return names
  }

  private func letter(_ name: AsideName) throws(Fault) -> DeadLetter? {
    guard
      let directory = try Directory.open(
        name.kind.path(name.range.lane, name.shard), in: root)
    else { return nil }
    let bytes = directory.history(name.text)
    guard let line = try line(name) else { return nil }
    let number = name.range.from.number
    return DeadLetter(
      entry: line.id, index: number - line.number + 1, priority: name.range.lane,
      data: line.item(number, &lastItem),
      history: History.attempts(bytes, of: number, name.range.lane),
      stderr: DeadLetter.stderr(in: bytes))
  }

  private func line(_ name: AsideName) throws(Fault) -> SegmentLine? {
    let place = name.range.from
    guard let reader = try reader(name.range.lane, place.segment),
      case .line(let line) = try reader.line(at: place.offset, limit: .max)
    else { return nil }
    return line
  }

  // The one that was used last: letters come in the order of the line.
  private func reader(_ lane: Priority, _ segment: Int) throws(Fault) -> SegmentReader? {
    if let held = lastReader, held.lane == lane, held.segment == segment { return held }
    guard let file = try Segment.open(self, lane, segment) else { return nil }
    lastReader = SegmentReader(file, lane, segment)
    return lastReader
  }
}

extension SegmentLine {
  /// The bytes of the item of this number. `mark` is where the item before it was found, if it was one of
  /// this line, and is moved on: going through a long list costs as much as the list is long.
  func item(_ number: Int, _ mark: inout ItemMark) -> [UInt8] {
    if isRecord { return Array(data) }
    let isBehind = mark.id == id && mark.number <= number
    let start =
      isBehind ? mark : ItemMark(id: id, number: self.number, rest: max(0, data.count - 2))
    // From the first byte that is not yet passed, the closing bracket included.
    let rest = cut(data, data.count - 1 - start.rest - 1, data.count)
    var list = ItemList(rest, skipping: number - start.number)
    let found = Array(list.next() ?? cut(data, 0, 0))
    mark = ItemMark(id: id, number: number + 1, rest: list.left)
    return found
  }
}
