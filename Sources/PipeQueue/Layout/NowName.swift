/// A name in now/: a range of items and what has become of it (pipe-queue(5), STATES).
package struct NowName: Equatable {
  package enum State: Equatable {
    case claim(batch: EntryID, attempt: Int, owner: Int)
    /// Ready again from `due` on (microseconds since the epoch); `attempt` attempts were made.
    case again(batch: EntryID, attempt: Int, due: Int64)
    case done
  }

  package var range: ItemRange
  package var state: State

  var text: String {
    switch state {
    case .claim(let batch, let attempt, let owner):
      "\(range.text).claim.\(batch.text).\(attempt).\(owner)"
    case .again(let batch, let attempt, let due):
      "\(range.text).again.\(batch.text).\(attempt).\(due)"
    case .done: "\(range.text).done"
    }
  }

  var isDone: Bool { state == .done }

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
  fileprivate init?(_ pieces: inout Pieces, endingBefore last: UInt8) {
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
    } else if word.elementsEqual("again".utf8) {
      self = .again(batch: batch, attempt: attempt, due: Int64(last))
    } else {
      return nil
    }
  }
}
