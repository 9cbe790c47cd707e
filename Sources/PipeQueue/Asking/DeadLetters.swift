package import PipeIO

extension Queue {
  /// Calls `body` with each dead letter, lane by lane in order, until it says false.
  package func deadLetters(
    _ body: (DeadLetter) throws(Fault) -> Bool
  ) throws(Fault) {
    let letters = LetterReader(self)
    try forEachDeadShard { (names) throws(Fault) in
      for name in names {
        if let letter = try letters.letter(name), try !body(letter) { return false }
      }
      return true
    }
  }

  /// Those of one entry; nil for an id that no entry has.
  package func deadLetters(of id: EntryID) throws(Fault) -> [DeadLetter]? {
    guard let view = try look(at: id) else { return nil }
    let letters = LetterReader(self)
    var found: [DeadLetter] = []
    for name in try dead(of: view) {
      if let letter = try letters.letter(name) { found.append(letter) }
    }
    return found
  }

  /// Calls `body` with the names of each directory of dead letters, in order, until it says false.
  func forEachDeadShard(_ body: ([AsideName]) throws(Fault) -> Bool) throws(Fault) {
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

  /// The names of an entry's dead letters, in order.
  func dead(of view: EntryView) throws(Fault) -> [AsideName] {
    try namesAside(view.lane, view.numbers).filter { name in
      guard case .dead = view.state(of: name.range.from.number) else { return false }
      return name.kind == .dead && !name.isDropped
    }
  }
}
