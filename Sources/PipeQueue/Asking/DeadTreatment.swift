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
  /// Makes the dead items of an entry ready again, as if they had never been tried. How many there were.
  package func revive(_ id: EntryID) throws(Fault) -> Int {
    try treat(id, revive)
  }

  /// The same of all dead items of the queue.
  package func reviveAll(_ body: (Treated) throws(Fault) -> Void) throws(Fault) {
    try treatAll(revive, body)
  }

  /// Removes the dead items of an entry; what they were part of stays failed. How many there were.
  package func drop(_ id: EntryID) throws(Fault) -> Int {
    try treat(id, drop)
  }

  package func dropAll(_ body: (Treated) throws(Fault) -> Void) throws(Fault) {
    try treatAll(drop, body)
  }

  /// Of some names, those that it treated.
  private typealias Treatment = ([AsideName]) throws(Fault) -> [AsideName]

  private func treat(_ id: EntryID, _ treatment: Treatment) throws(Fault) -> Int {
    drainsOnFullDisk()
    guard let view = try look(at: id) else { return 0 }
    return try treatment(try dead(of: view)).count
  }

  private func treatAll(
    _ treatment: Treatment, _ body: (Treated) throws(Fault) -> Void
  ) throws(Fault) {
    drainsOnFullDisk()
    let letters = LetterReader(self)
    try forEachDeadShard { (names) throws(Fault) in
      // Before it is done: what is dropped keeps no segment.
      let ids = try names.map { (name) throws(Fault) in try letters.line(name)?.id ?? .delayed }
      let done = Set(try treatment(names).map(\.text))
      var treated: [Treated] = []
      for (name, id) in zip(names, ids) where done.contains(name.text) {
        if treated.last?.id != id { treated.append(Treated(id: id, items: 0)) }
        treated[treated.count - 1].items += 1
      }
      for entry in treated { try body(entry) }
      return true
    }
  }

  // First the mark, then the file in later/, then away with the one in dead/: at any instant the item is
  // one or the other, and found.
  private func revive(_ candidates: [AsideName]) throws(Fault) -> [AsideName] {
    let mark = { (names: [AsideName]) throws(Fault) in
      try self.lowerMark(to: 0, adding: names.count, at: Clock.now())
    }
    return try withStillDead(candidates, first: mark) { (names) throws(Fault) in
      try now().flush()
      let waiting = NowName.State.again(batch: .revived, attempt: 0, due: .now)
      var later = AsideWriter(self, flushing: .names)
      for group in AsideGroup.split(names) {
        let dead = try root.existing(group.path)
        for name in group.names {
          let known = History.lines(dead.history(name.text), of: name.range.from.number, group.lane)
          try later.write(AsideName(range: name.range, waiting: waiting), known)
        }
      }
      try later.flush()
      try removeAside(names)
    }
  }

  private func drop(_ candidates: [AsideName]) throws(Fault) -> [AsideName] {
    try withStillDead(candidates) { (names) throws(Fault) in
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
    }
  }
}
