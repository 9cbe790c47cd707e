/// A name in now/: a range of items and what has become of it (pipe-queue(5), STATES).
package struct NowName: Equatable {
  package enum State: Equatable {
    case claim(batch: EntryID, attempt: Int, owner: Int)
    /// Handed out and held by the clock: ready again, attempt counted, when it is due.
    case hold(batch: EntryID, attempt: Int, until: Due)
    /// Ready again when it is due; `attempt` attempts were made.
    case again(batch: EntryID, attempt: Int, due: Due)
    case done

    /// Ready, and never tried: what no name covers is that already.
    static let untried = again(batch: .delayed, attempt: 0, due: .now)
  }

  package var range: ItemRange
  package var state: State

  var text: String {
    switch state {
    case .claim(let batch, let attempt, let owner):
      "\(range.text).claim.\(batch.text).\(attempt).\(owner)"
    case .hold(let batch, let attempt, let until):
      "\(range.text).hold.\(batch.text).\(attempt).\(until.text)"
    case .again(let batch, let attempt, let due):
      "\(range.text).again.\(batch.text).\(attempt).\(due.text)"
    case .done: "\(range.text).done"
    }
  }

  var isDone: Bool { state == .done }
  var isClaim: Bool { if case .claim = state { true } else { false } }
  var isAgain: Bool { if case .again = state { true } else { false } }
  var isHold: Bool { if case .hold = state { true } else { false } }

  /// Handed out and not settled; an expired hold is `again` to all who look.
  func isHeld(at now: Int64) -> Bool {
    switch state {
    case .claim: true
    case .hold(_, _, let until): !until.isOver(at: now)
    case .again, .done: false
    }
  }

  var batch: EntryID? {
    switch state {
    case .claim(let batch, _, _), .hold(let batch, _, _), .again(let batch, _, _): batch
    case .done: nil
    }
  }

  /// Attempts made or, of what is handed out, begun; nil for what is done.
  package var attempt: Int? {
    switch state {
    case .claim(_, let attempt, _), .hold(_, let attempt, _), .again(_, let attempt, _): attempt
    case .done: nil
    }
  }

  /// Whether it stands for entries that were passed over, and says nothing that their lines do not say.
  var isDelay: Bool {
    if case .again(let batch, 0, _) = state { batch == .delayed } else { false }
  }

  /// The slot of who holds it; nil where nobody does, or the clock.
  var owner: Int? { if case .claim(_, _, let owner) = state { owner } else { nil } }

  /// When the clock makes it ready.
  var due: Due? {
    switch state {
    case .hold(_, _, let due), .again(_, _, let due): due
    case .claim, .done: nil
    }
  }

  /// nil for a name that is not exactly of this form: it is not ours and is left alone.
  init?(_ text: UnsafeRawBufferPointer) {
    var pieces = Pieces(text)
    guard let lane = pieces.next(before: dot).flatMap(Priority.init(name:)),
      let from = Place(&pieces, endingBefore: dash), let to = Place(&pieces, endingBefore: dot),
      from <= to, let word = pieces.next(before: dot), let state = State(word, &pieces),
      pieces.isAtEnd
    else { return nil }
    self.init(ItemRange(lane: lane, from: from, to: to), state)
  }

  init(_ range: ItemRange, _ state: State) {
    self.range = range
    self.state = state
  }
}

extension Place {
  init?(_ pieces: inout Pieces, endingBefore last: UInt8) {
    guard let number = pieces.number(before: dot), let segment = pieces.number(before: dot),
      let offset = pieces.number(before: last)
    else { return nil }
    self.init(number: number, segment: segment, offset: offset)
  }
}

extension NowName.State {
  fileprivate init?(_ word: UnsafeRawBufferPointer, _ pieces: inout Pieces) {
    if word.elementsEqual("done".utf8) {
      self = .done
      return
    }
    guard let batch = pieces.next(before: dot).flatMap({ EntryID($0) }),
      let attempt = pieces.number(before: dot), let last = pieces.number(before: dot)
    else { return nil }
    if word.elementsEqual("claim".utf8) {
      self = .claim(batch: batch, attempt: attempt, owner: last)
      return
    }
    // Format 1 had no span.
    let span = pieces.isAtEnd ? 0 : pieces.number(before: dot)
    guard let span else { return nil }
    let due = Due(at: Int64(last), span: Int64(span))
    if word.elementsEqual("again".utf8) {
      self = .again(batch: batch, attempt: attempt, due: due)
    } else if word.elementsEqual("hold".utf8) {
      self = .hold(batch: batch, attempt: attempt, until: due)
    } else {
      return nil
    }
  }
}
