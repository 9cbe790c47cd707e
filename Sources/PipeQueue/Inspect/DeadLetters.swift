package import PipeIO
internal import PipeTime

extension Queue {
  /// Calls `body` with each dead letter, lane by lane in order, until it returns false.
  package func deadLetters(
    _ body: (DeadLetter) throws(Fault) -> Bool
  ) throws(Fault) {
    let letters = DeadLetterReader(self)
    try forEachDeadShard { (names) throws(Fault) in
      for name in names {
        if let letter = try letters.letter(name), try !body(letter) { return false }
      }
      return true
    }
  }

  /// The dead letters of one entry; nil if no entry has this id.
  package func deadLetters(of id: EntryID) throws(Fault) -> [DeadLetter]? {
    guard let view = try look(at: id) else { return nil }
    let letters = DeadLetterReader(self)
    var found: [DeadLetter] = []
    for name in try dead(of: view) {
      if let letter = try letters.letter(name) { found.append(letter) }
    }
    return found
  }

  /// Calls `body` with the names of each directory of dead letters, in order, until it returns
  /// false.
  func forEachDeadShard(_ body: ([SideName]) throws(Fault) -> Bool) throws(Fault) {
    for lane in Lane.allCases {
      for shard in try shards(.dead, lane) {
        var names = try namesAside(.dead, lane, shard).filter { !$0.isDropped }
        // A crash during a revival can leave an item in both: later/ beats dead/.
        let back = SideMap(try namesAside(.later, lane, shard))
        names.removeAll { back.name(of: $0.range.from.number) != nil }
        if try !body(names) { return }
      }
    }
  }

  /// The names of an entry's dead letters, in order.
  func dead(of view: EntryView) throws(Fault) -> [SideName] {
    try namesAside(view.lane, view.numbers).filter { name in
      guard case .dead = view.state(of: name.range.from.number) else { return false }
      return name.kind == .dead && !name.isDropped
    }
  }
}

/// Reads dead letters. They come in lane order, so it keeps the last segment open.
final class DeadLetterReader {
  private let queue: Queue
  private var held: SegmentReader?
  private var cursor = ItemCursor(id: .none, number: 0, rest: 0)

  init(_ queue: Queue) { self.queue = queue }

  /// nil if its line is missing or damaged.
  func letter(_ name: SideName) throws(Fault) -> DeadLetter? {
    guard
      let directory = try Directory.open(
        name.kind.path(name.range.lane, name.shard), in: queue.root)
    else { return nil }
    let bytes = directory.history(name.text)
    guard let line = try line(name) else { return nil }
    let number = name.range.from.number
    return DeadLetter(
      entry: line.id, index: number - line.number + 1, priority: name.range.lane,
      data: line.item(number, &cursor),
      history: History.attempts(bytes, of: number, name.range.lane),
      stderr: DeadLetter.stderr(in: bytes))
  }

  /// The reason of the last attempt; nil if the letter has none. A process that writes early letters has the lock
  /// of now/, so a letter without a reason is read again under it.
  func reason(_ name: SideName) throws(Fault) -> String? {
    if let reason = try letter(name)?.history.last?.reason { return reason }
    guard name.isEarly else { return nil }
    try queue.lockNow(exclusive: false)
    defer { queue.unlockNow() }
    return try letter(name)?.history.last?.reason
  }

  /// The line of its entry, valid until the next call; nil if the line is missing or damaged.
  func line(_ name: SideName) throws(Fault) -> SegmentLine? {
    let position = name.range.from
    guard let reader = try reader(name.range.lane, position.segment),
      case .line(let line) = try reader.line(at: position.offset, limit: .max)
    else { return nil }
    return line
  }

  /// Where the line of its entry is.
  func found(_ name: SideName) throws(Fault) -> Lookup.Found? {
    guard let reader = try reader(name.range.lane, name.range.from.segment) else { return nil }
    return Lookup.Found(lane: name.range.lane, offset: name.range.from.offset, reader: reader)
  }

  private func reader(_ lane: Lane, _ segment: Int) throws(Fault) -> SegmentReader? {
    if let held, held.lane == lane, held.segment == segment { return held }
    guard let file = try Segment.open(queue, lane, segment) else { return nil }
    held = SegmentReader(file, lane, segment)
    return held
  }
}

extension SegmentLine {
  /// The data of the item with this number. `cursor` is the position after the previous item, if that
  /// was in this line, and advances: a pass over a long list costs as much as the list is long.
  fileprivate func item(_ number: Int, _ cursor: inout ItemCursor) -> [UInt8] {
    if isRecord { return Array(data) }
    let isBehind = cursor.id == id && cursor.number <= number
    let start =
      isBehind ? cursor : ItemCursor(id: id, number: self.number, rest: max(0, data.count - 2))
    // From the bracket or comma before the first unread byte through the closing bracket.
    let rest = cut(data, data.count - 1 - start.rest - 1, data.count)
    var list = ItemList(rest, skipping: number - start.number)
    let found = Array(list.next() ?? cut(data, 0, 0))
    cursor = ItemCursor(id: id, number: number + 1, rest: list.left)
    return found
  }
}

/// Dead letters of one entry that were revived or dropped together.
package struct DeadLetterResult {
  package let id: EntryID
  package var items: Int

  package init(id: EntryID, items: Int) {
    self.id = id
    self.items = items
  }
}

extension Queue {
  /// Makes the dead items of an entry ready again, as if they had never been tried. Returns how
  /// many there were.
  package func revive(_ id: EntryID) throws(Fault) -> Int {
    try treat(id, revive)
  }

  /// Does the same for all dead items of the queue; calls `body` with the result for each entry.
  package func reviveAll(_ body: (DeadLetterResult) throws(Fault) -> Void) throws(Fault) {
    try treatAll(revive, body)
  }

  /// Drops the dead items of an entry; their slices stay failed. Returns how many there were.
  package func drop(_ id: EntryID) throws(Fault) -> Int {
    try treat(id, drop)
  }

  package func dropAll(_ body: (DeadLetterResult) throws(Fault) -> Void) throws(Fault) {
    try treatAll(drop, body)
  }

  /// Revives or drops dead letters by their names. Returns the names that it changed.
  private typealias Treatment = ([SideName]) throws(Fault) -> [SideName]

  private func treat(_ id: EntryID, _ treatment: Treatment) throws(Fault) -> Int {
    drainsOnFullDisk()
    guard let view = try look(at: id) else { return 0 }
    return try treatment(try dead(of: view)).count
  }

  private func treatAll(
    _ treatment: Treatment, _ body: (DeadLetterResult) throws(Fault) -> Void
  ) throws(Fault) {
    drainsOnFullDisk()
    let letters = DeadLetterReader(self)
    try forEachDeadShard { (names) throws(Fault) in
      // Read before the treatment: dropped items do not keep their segment.
      let ids = try names.map { (name) throws(Fault) in try letters.line(name)?.id ?? .none }
      let done = Set(try treatment(names).map(\.text))
      var treated: [DeadLetterResult] = []
      for (name, id) in zip(names, ids) where done.contains(name.text) {
        if treated.last?.id != id { treated.append(DeadLetterResult(id: id, items: 0)) }
        treated[treated.count - 1].items += 1
      }
      for entry in treated { try body(entry) }
      return true
    }
  }

  /// Drops these letters, if they are still dead. Returns how many there were.
  func drop(letters: [SideName]) throws(Fault) -> Int { try drop(letters).count }

  /// Writes the parked hint, then the file in later/, then removes the file in dead/: at any
  /// instant the item is parked or dead, and is found.
  /// Transition: revive
  private func revive(_ all: [SideName]) throws(Fault) -> [SideName] {
    var copied: [SideName] = []
    let untouched = try reviveUntouched(all.filter(\.isEarly), &copied)
    let candidates = all.filter { !untouched.contains($0) && !copied.contains($0) }
    let lowerHint = { (names: [SideName]) throws(Fault) in
      try self.lowerHint(to: .epoch, adding: names.count, at: Clock.now())
    }
    let revived = try withStillDead(candidates, first: lowerHint) { (dead) throws(Fault) in
      let found = try moved(dead)
      copied += found
      let names = dead.filter { !found.contains($0) }
      try now().flush()
      let letters = DeadLetterReader(self)
      var later = SideWriter(self, flushing: .names)
      for group in SideGroup.split(names) {
        let dead = try root.existing(group.path)
        for name in group.names {
          let number = name.range.from.number
          let known = History.lines(dead.history(name.text), of: number, group.lane)
          // An entry that was cancelled during its delay still waits until the delay is over.
          let isUntried = History.attempts(known, of: number, group.lane).last?.number == 0
          let due = isUntried ? try letters.line(name)?.due : nil
          let waiting = NowName.State.again(batch: .revived, attempt: 0, due: due ?? .now)
          try later.write(SideName(range: name.range, waiting: waiting), known)
        }
      }
      try later.flush()
      try removeAside(names)
    }
    _ = try drop(copied)
    return untouched + revived.filter { !copied.contains($0) }
  }

  /// Revives the early letters of items that no consumer has reached since. `copied`: gets the letters of
  /// entries that are stored again.
  private func reviveUntouched(
    _ early: [SideName], _ copied: inout [SideName]
  ) throws(Fault) -> [SideName] {
    guard !early.isEmpty else { return [] }
    let later = try part(SideKind.later.rawValue)
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    // Under the lock: `change --priority` stores copies under it.
    let found = try moved(early)
    copied += found
    let names = early.filter { !found.contains($0) }
    return names.isEmpty ? [] : try Claimer(self).reviveUntouched(names)
  }

  /// Completes a `change --priority` of this entry that died on the way: its letters are dropped if the
  /// entry is stored again, otherwise its items are ready as before.
  package func finishMove(_ id: EntryID) throws(Fault) {
    let ends = try publishedEnds()
    let places = try Lookup(self).findAll(id, ends)
    let letters = DeadLetterReader(self)
    for found in places {
      guard case .line(let line) = try found.reader.line(at: found.offset, limit: .max) else {
        continue
      }
      let view = try EntryView(self, line, found, ends)
      var names: [SideName] = []
      for name in try dead(of: view) {
        // An early letter without a reason was being written when its process died.
        let reason = try letters.reason(name)
        if reason?.hasPrefix(DeadLetter.moved) ?? name.isEarly { names.append(name) }
      }
      if !names.isEmpty { _ = try revive(names) }
      guard places.count > 1 else { continue }
      // The process that dropped the letters may have died before its flush.
      let dropped = try namesAside(view.lane, view.numbers).filter { $0.kind == .dead }
      for group in SideGroup.split(dropped) { try root.existing(group.path).flush() }
    }
  }

  /// Whether these items, which are a whole entry, are dead letters with this reason, and the entry is not stored
  /// again. Otherwise another process has cancelled, purged or moved it meanwhile. Only for the body of
  /// `keepingLetters`.
  package func isMoving(_ items: [WaitingItems], reason: String) throws(Fault) -> Bool {
    guard let view = try look(at: items[0].id), view.lane == items[0].range.lane,
      view.numbers.contains(items[0].range.from.number)
    else { return false }
    let letters = DeadLetterReader(self)
    let names = try dead(of: view)
    for name in names where try letters.reason(name) != reason { return false }
    return names.count == view.line.items
  }

  /// Runs `body` under the lock without which no letter is revived or dropped, and no entry is stored again. Those
  /// stored before are visible.
  package func keepingLetters(_ body: () throws(Fault) -> Void) throws(Fault) {
    let later = try part(SideKind.later.rawValue)
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    _ = try publishedEnds()
    try body()
  }

  // A crash may have left the copy on disk and not yet visible. A writer that has the lock publishes only its own
  // lanes.
  private func publishedEnds() throws(Fault) -> LaneEnds {
    _ = try advanceEnds(try ends(), waiting: true)
    return try ends()
  }

  /// Letters of items that were stored again in another lane, by a `change --priority` that died before
  /// it dropped them: revived, they would run twice.
  private func moved(_ names: [SideName]) throws(Fault) -> [SideName] {
    let letters = DeadLetterReader(self)
    var ends: LaneEnds?
    var found: [SideName] = []
    for name in names {
      guard let letter = try letters.letter(name),
        letter.history.last?.reason.hasPrefix(DeadLetter.moved) == true,
        let line = try letters.found(name)
      else { continue }
      let all = if let ends { ends } else { try publishedEnds() }
      ends = all
      if try Lookup(self).findAgain(letter.entry, all, after: line) != nil { found.append(name) }
    }
    return found
  }

  /// Renames each letter to its dropped name and flushes the directory.
  /// Transition: drop
  private func drop(_ candidates: [SideName]) throws(Fault) -> [SideName] {
    try withStillDead(candidates) { (names) throws(Fault) in
      // The process that buried an item may have died before its flush: a power cut would bring its claim back.
      try now().flush()
      for group in SideGroup.split(names) {
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
    }
  }
}

// Another process may have revived or dropped them since the look-up, or may be about to bury them.
extension Queue {
  typealias DeadStep = ([SideName]) throws(Fault) -> Void

  /// Runs two steps with the letters that are still dead, if any, and returns them. Keeps the lock
  /// of later/, without which no dead item changes; the check and the first step also have the lock
  /// of now/.
  func withStillDead(
    _ candidates: [SideName], first: DeadStep? = nil, then: DeadStep
  ) throws(Fault) -> [SideName] {
    guard !candidates.isEmpty else { return [] }
    let later = try part(SideKind.later.rawValue)
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    let names = try stillDead(candidates, first)
    if !names.isEmpty { try then(names) }
    return names
  }

  private func stillDead(_ candidates: [SideName], _ first: DeadStep?) throws(Fault) -> [SideName] {
    try lockNow(exclusive: true)
    defer { unlockNow() }
    let names = try stillDead(candidates)
    if !names.isEmpty { try first?(names) }
    return names
  }

  private func stillDead(_ names: [SideName]) throws(Fault) -> [SideName] {
    let listing = try listNow()
    let ends = try ends()
    let lines = PerLane { LaneMap($0, end: ends[$0].position, names: listing.names) }
    var found: [SideName] = []
    for group in SideGroup.split(names) {
      let dead = Set(try namesAside(.dead, group.lane, group.shard).map(\.text))
      let back = SideMap(try namesAside(.later, group.lane, group.shard))
      let line = lines[group.lane]
      found += group.names.filter {
        let number = $0.range.from.number
        return dead.contains($0.text) && back.name(of: number) == nil
          && (line.state(of: number) == .done || $0.isEarly && line.state(of: number) == nil)
      }
    }
    return found
  }
}
