import PipeTime
@testable import PipeIO
@testable import PipeQueue

// Comparing the engine's answers with the model's.
extension Schedule {
  func text(of claim: borrowing Claim) -> [String] {
    let bytes = claim.bytes
    return claim.items.map { item in
      "\(item.priority.name) \(item.entry.text).\(item.index)"
        + " \(String(decoding: bytes[item.data], as: UTF8.self))"
    }
  }

  func text(of keys: [Model.Key]) -> [String] {
    keys.map { key in
      let item = model[key]
      return "\(key.lane.name) \(item.entry.text).\(item.index) \(item.data)"
    }
  }

  func check(_ claim: borrowing Claim, _ keys: [Model.Key]) throws {
    try expect(text(of: claim), is: text(of: keys), "items of \(claim.batch.text)")
    try expect(
      claim.attempt, is: keys.map { model[$0].attempts }.max()!, "attempt of \(claim.batch.text)")
  }

  // A consumer that waits must know when to look again, and not look before.
  func checkNone(_ consumer: Consumer, _ answer: Model.Answer) throws {
    let claimer = consumer.claimer
    switch answer {
    case .batch(let keys): throw Discrepancy("engine hands out nothing, model \(text(of: keys))")
    case .paced(let wait):
      try expect(claimer.isPaced, "engine has nothing ready, model waits for its turn")
      try expect(claimer.nextPoll, is: instant.steady + wait, "the turn")
    case .nothing:
      try expect(!claimer.isPaced, "engine waits for its turn, model has nothing ready")
      if let look = claimer.nextPoll {
        try expect(look > instant.steady, "engine would look again at once")
      }
      guard let due = model.nextDue(for: consumer.model, at: instant.wall) else { return }
      let latest = instant.steady + (due - instant.wall)
      try expect(
        claimer.nextPoll ?? .distantFuture <= latest,
        "engine looks again at \((claimer.nextPoll ?? -1).microseconds), too late for \(latest.microseconds)"
      )
    }
  }

  /// Checks everything that can be asked about one entry.
  func check(_ id: EntryID) throws {
    let entry = model.entry(id)!
    let status = try queue.status(id)
    let words = status.map { [$0.word] + $0.slices.map(\.word) }
    try expect(words, is: model.status(entry), "status of \(id.text)")
    try expect(status!.attempts, is: model.attempts(entry), "attempts of \(id.text)")
    guard let explanation = try queue.explain(id, at: instant.wall) else {
      throw Discrepancy("explain does not know \(id.text)")
    }
    let parked = try dueInLater()
    for (index, key) in entry.keys.enumerated() {
      guard let run = explanation.runs.first(where: { $0.items.contains(index + 1) }) else {
        throw Discrepancy("explain \(id.text) leaves out item \(index + 1)")
      }
      try expect(
        Schedule.text(of: run.fate), is: model.fate(key, at: instant.wall),
        "fate of \(id.text).\(index + 1)")
      guard case .ready(let ahead) = run.fate, run.items.lowerBound == index + 1 else { continue }
      // explain does not read the line: a delay that no claimer has met yet does not show.
      let delayed = model.keys.prefix { $0 < key }.count { model.isDelayed($0, at: instant.wall) }
      let unseen = parked.count { $0 < key }
      let exact = model.ahead(of: key, at: instant.wall)
      try expect(
        (exact - unseen...exact + delayed).contains(ahead),
        "ahead of \(id.text).\(index + 1): engine \(ahead), model \(exact)")
    }
  }

  // explain does not look for due names in later/: they count once they are back.
  private func dueInLater() throws -> [Model.Key] {
    var found: [Model.Key] = []
    for lane in Lane.allCases {
      for shard in try queue.shards(.later, lane) {
        for name in try queue.namesAside(.later, lane, shard) where name.isOver(at: instant.wall) {
          found += (name.range.from.number..<name.range.to.number).map {
            Model.Key(lane: lane, number: $0)
          }
        }
      }
    }
    return found
  }

  private static func text(of fate: Explanation.Fate) -> String {
    switch fate {
    case .ready: "ready"
    case .claimed(let token, let attempt, _, _, let until):
      "claimed \(token.text) attempt \(attempt) until \(until.map { "\($0.microseconds)" } ?? "-")"
    case .later(let due, let attempts): "later due \(due.microseconds) attempts \(attempts)"
    case .dead(let isDropped): isDropped ? "dropped" : "dead"
    case .lost(let isDropped): isDropped ? "lost and dropped" : "lost"
    case .done: "done"
    }
  }

  /// Checks everything that can be asked about the whole queue.
  func checkAll() throws {
    var lines: [String] = []
    try queue.list(ListedEntry.State.allCases, at: instant.wall) { entry in
      let data = String(decoding: entry.data, as: UTF8.self)
      lines.append("\(entry.id.text) \(entry.priority.name) \(entry.state.rawValue) \(data)")
      return true
    }
    try expect(lines, is: model.list(at: instant.wall), "list")
    var letters: [DeadLetter] = []
    try queue.deadLetters {
      letters.append($0)
      return true
    }
    let dead = model.deadKeys()
    try expect(
      letters.map {
        "\($0.priority.name) \($0.entry.text).\($0.index) \(String(decoding: $0.data, as: UTF8.self))"
      },
      is: text(of: dead), "dead letters")
    for (letter, key) in zip(letters, dead) { try check(letter, model[key]) }
  }

  private func check(_ letter: DeadLetter, _ item: Model.Item) throws {
    let name = "\(letter.entry.text).\(letter.index)"
    try expect(letter.stderr, is: item.stderr, "stderr of \(name)")
    let notes = letter.history.map {
      Model.Note(
        number: $0.number, reason: $0.reason, exitStatus: $0.exitStatus, signal: $0.signal,
        ended: $0.ended)
    }
    // The engine may not know each death of a holder of a revived item.
    if item.wasRevived {
      try expect(notes.last, is: item.history.last, "end of the history of \(name)")
    } else {
      try expect(notes, is: item.history, "history of \(name)")
    }
  }
}
