internal import PipeTime

/// A name in now/: a range of items and their state (pipe-queue(5), STATES).
struct NowName: Equatable {
  enum State: Equatable {
    case claim(batch: BatchID, attempt: Int, owner: Int)
    /// Handed out and held by the clock: ready again when due, with the attempt counted.
    case hold(batch: BatchID, attempt: Int, until: ReadyTime)
    /// Ready again when due, after `attempt` attempts.
    case again(batch: BatchID, attempt: Int, due: ReadyTime)
    /// Acknowledged; or parked or dead, if a name in later/ or dead/ says so.
    case done
    /// No intact line holds these items.
    case lost
    /// Lost items that `drop` removed.
    case dropped

    /// Ready and never tried, like items that no name covers.
    static let untried = again(batch: .delayed, attempt: 0, due: .now)

    /// Whether claims skip these items. Only a restore, revive or return brings them back.
    var isFinal: Bool {
      switch self {
      case .done, .lost, .dropped: true
      case .claim, .hold, .again: false
      }
    }

    /// If several names cover an item, the one with the highest rank is true.
    var rank: Int {
      switch self {
      case .claim: 4
      case .hold, .again: 3
      case .done: 2
      case .dropped: 1
      case .lost: 0
      }
    }
  }

  var range: ItemRange
  var state: State

  /// The range, a checksum of everything else, and the state: `HIGH.0.1.0-1.1.101.c2f1a3b4.done`.
  var text: String {
    String(name: {
      $0.append(range.lane.spelling)
      $0.append(dot)
      $0.append(range)
      $0.appendChecksum(separator: dot)
      $0.append(state)
      $0.fillChecksum()
    })
  }

  var isDone: Bool { state == .done }
  var isLost: Bool { state == .lost }
  var isFinal: Bool { state.isFinal }
  var isClaim: Bool { if case .claim = state { true } else { false } }
  var isAgain: Bool { if case .again = state { true } else { false } }

  /// Handed out and not settled; an expired hold counts as `again`.
  func isHeld(at now: Instant) -> Bool {
    switch state {
    case .claim: true
    case .hold(_, _, let until): !until.isOver(at: now)
    case .again, .done, .lost, .dropped: false
    }
  }

  var batch: BatchID? {
    switch state {
    case .claim(let batch, _, _), .hold(let batch, _, _), .again(let batch, _, _): batch
    case .done, .lost, .dropped: nil
    }
  }

  /// Attempts made, including the one that a claim or hold has begun; nil for a final state.
  var attempt: Int? {
    switch state {
    case .claim(_, let attempt, _), .hold(_, let attempt, _), .again(_, let attempt, _): attempt
    case .done, .lost, .dropped: nil
    }
  }

  /// Whether the name covers entries that were passed over, and adds nothing to their lines.
  var isDelay: Bool {
    if case .again(let batch, 0, _) = state { batch == .delayed } else { false }
  }

  /// Slot whose lock holds the claim; nil for any other state.
  var owner: Int? { if case .claim(_, _, let owner) = state { owner } else { nil } }

  /// When the clock makes the items ready; nil for a claim or a final state.
  var due: ReadyTime? {
    switch state {
    case .hold(_, _, let due), .again(_, _, let due): due
    case .claim, .done, .lost, .dropped: nil
    }
  }

  init(_ range: ItemRange, _ state: State) {
    self.range = range
    self.state = state
  }
}

extension NowName {
  /// nil unless the name has exactly this form and its checksum matches. `older`: also accepts
  /// names of formats 1 and 2, which have no checksum.
  init?(_ text: UnsafeRawBufferPointer, older: Bool = false) {
    var pieces = FieldSplitter(text)
    guard let lane = pieces.next(before: dot).flatMap(Lane.init(name:)),
      let from = Position(&pieces, endingBefore: dash),
      let to = Position(&pieces, endingBefore: dot),
      from < to, let tail = pieces.checkedTail(of: text, older: older)
    else { return nil }
    pieces = FieldSplitter(tail)
    guard let word = pieces.next(before: dot), let state = State(word, &pieces, older: older),
      pieces.isAtEnd
    else { return nil }
    self.init(ItemRange(lane: lane, from: from, to: to), state)
  }
}

extension FieldSplitter {
  /// Returns the text after the next field, which must be the checksum of the name `text` without
  /// that field; nil if it is not. `older`: returns the whole remainder if there is no checksum.
  func checkedTail(of text: UnsafeRawBufferPointer, older: Bool) -> UnsafeRawBufferPointer? {
    guard let rest = remainder else { return nil }
    var pieces = self
    guard let digits = pieces.next(before: dot), let sum = NameChecksum(digits: digits) else {
      return older ? rest : nil
    }
    let head = cut(text, 0, text.count - rest.count - 1)
    let tail = pieces.remainder ?? cut(text, text.count, text.count)
    return sum == NameChecksum(head, tail) ? tail : nil
  }
}

extension Position {
  init?(_ pieces: inout FieldSplitter, endingBefore last: UInt8) {
    guard let number = pieces.number(before: dot), let segment = pieces.number(before: dot),
      let offset = pieces.number(before: last)
    else { return nil }
    self.init(number: number, segment: segment, offset: offset)
  }
}

extension NameWriter {
  fileprivate mutating func append(_ state: NowName.State) {
    switch state {
    case .claim(let batch, let attempt, let owner):
      append("claim.", batch, attempt)
      append(owner)
    case .hold(let batch, let attempt, let until):
      append("hold.", batch, attempt)
      append(until)
    case .again(let batch, let attempt, let due):
      append("again.", batch, attempt)
      append(due)
    case .done: append("done")
    case .lost: append("lost")
    case .dropped: append("dropped")
    }
  }

  private mutating func append(_ word: StaticString, _ batch: BatchID, _ attempt: Int) {
    append(word)
    append(batch)
    append(dot)
    append(attempt)
    append(dot)
  }

  private mutating func append(_ due: ReadyTime) {
    append(Int(due.at.microseconds))
    append(dot)
    append(Int(due.span.microseconds))
  }
}

extension NowName.State {
  fileprivate init?(_ word: UnsafeRawBufferPointer, _ pieces: inout FieldSplitter, older: Bool) {
    if word.elementsEqual("done".utf8) {
      self = .done
    } else if word.elementsEqual("lost".utf8) {
      self = .lost
    } else if word.elementsEqual("dropped".utf8) {
      self = .dropped
    } else {
      self.init(open: word, &pieces, older: older)
    }
  }

  private init?(open word: UnsafeRawBufferPointer, _ pieces: inout FieldSplitter, older: Bool) {
    guard let batch = pieces.next(before: dot).flatMap({ BatchID($0) }),
      let attempt = pieces.number(before: dot), let last = pieces.number(before: dot)
    else { return nil }
    if word.elementsEqual("claim".utf8) {
      self = .claim(batch: batch, attempt: attempt, owner: last)
      return
    }
    // Format 1 had no span.
    let span = pieces.isAtEnd && older ? 0 : pieces.number(before: dot)
    guard let span else { return nil }
    let due = ReadyTime(at: Instant(microseconds: last), span: TimeSpan(microseconds: span))
    if word.elementsEqual("again".utf8) {
      self = .again(batch: batch, attempt: attempt, due: due)
    } else if word.elementsEqual("hold".utf8) {
      self = .hold(batch: batch, attempt: attempt, until: due)
    } else {
      return nil
    }
  }
}

/// The name in now/ while items that no consumer has reached are dead letters already, because `cancel`
/// made them so: `early.HIGH.MEDIUM.LOW.CRC`, for each lane the number after the last of them. A consumer
/// looks for such letters only below these numbers: no name in now/ is needed for each.
struct EarlyHint: Equatable {
  var limits: PerLane<Int>

  /// What a damaged name means: every number may have such a letter.
  static var unknown: EarlyHint { EarlyHint(limits: .repeating(.max)) }

  init(limits: PerLane<Int>) { self.limits = limits }

  /// nil: the name is not a hint.
  init?(_ text: UnsafeRawBufferPointer) {
    guard var pieces = KeywordName.fields(of: text, "early") else { return nil }
    guard let high = pieces.number(before: dot), let medium = pieces.number(before: dot),
      let low = pieces.number(before: dot), NameChecksum.ends(text, &pieces)
    else {
      self = .unknown
      return
    }
    let numbers = [high, medium, low]
    limits = PerLane { numbers[$0.order] }
  }

  var text: String { KeywordName.text("early", limits[.high], limits[.medium], limits[.low]) }

  /// For each lane the higher number.
  func joined(_ other: EarlyHint?) -> EarlyHint {
    guard let other else { return self }
    return EarlyHint(limits: PerLane { max(limits[$0], other.limits[$0]) })
  }
}
