internal import PipeEngine
internal import PipeIntake
internal import PipeIO

/// A claim that is handed out in several lines, with the outcomes of its items so far.
final class InFlightClaim {
  let batch: BatchID
  let attempt: Int
  let items: [Item]
  /// The data of the items, which their ranges refer to.
  let bytes: [UInt8]
  private var claim: Claim?
  private var outcomes: [Outcome?]
  /// Values that answers gave, by index.
  private var outputs: [Int: [UInt8]] = [:]
  /// Indices of the items that the claim still holds.
  private var held: [Int]
  /// Whether an outcome is decided but not settled.
  private(set) var isDirty = false

  init(_ claim: consuming Claim) {
    batch = claim.batch
    attempt = claim.attempt
    items = claim.items
    bytes = claim.bytes
    outcomes = Array(repeating: nil, count: claim.items.count)
    held = Array(claim.items.indices)
    self.claim = consume claim
  }

  func isDecided(_ index: Int) -> Bool { if case nil = outcomes[index] { false } else { true } }

  func keep(_ index: Int, _ output: [UInt8]) { outputs[index] = output }

  func decide(_ index: Int, _ outcome: Outcome) {
    outcomes[index] = outcome
    isDirty = true
  }

  /// Settles the decided items; returns true if no item is left.
  func settle(_ claimer: Claimer) throws(Fault) -> Bool {
    isDirty = false
    guard let claim = claim.take() else { return true }
    let (held, outcomes) = (held, outcomes)
    for (place, index) in held.enumerated() {
      guard let output = outputs.removeValue(forKey: index) else { continue }
      claimer.keep(output, of: claim, items: [place])
    }
    self.claim = try claimer.settle(claim) { outcomes[held[$0]] }
    self.held = held.filter { !isDecided($0) }
    return self.held.isEmpty
  }

  /// Retries the remaining items; returns nil if there are none.
  func retry(_ claimer: Claimer, _ failure: Failure) throws(Fault) -> Disposal? {
    guard let claim = claim.take() else { return nil }
    return try claimer.retry(claim, failure)
  }
}

/// Items of one claim, which the worker gets as one line.
final class StreamLine {
  let token: BatchID
  let flight: InFlightClaim
  /// Indices of the claim's items.
  let items: Range<Int>
  /// Position in the worker's input, once the line is handed out.
  var bytes = 0..<0
  /// Number of unanswered items.
  var open: Int
  /// Where the search for the next item starts: answers mostly come in order.
  private var next: Int

  init(_ flight: InFlightClaim, _ items: Range<Int>, token: BatchID) {
    self.flight = flight
    self.items = items
    self.token = token
    open = items.count
    next = items.lowerBound
  }

  /// Index of an item in the claim; nil if the line has no such item.
  func index(_ id: EntryID, _ item: Int) -> Int? {
    let matches = { [flight] (index: Int) in
      flight.items[index].index == item && flight.items[index].entry == id
    }
    guard
      let found = (next..<items.upperBound).first(where: matches)
        ?? (items.lowerBound..<next).first(where: matches)
    else { return nil }
    next = found + 1
    return found
  }

  var label: String {
    let name = label(items.lowerBound)
    return items.count == 1 ? name : "claim \(token.text) (\(items.count) items from \(name))"
  }

  /// Label of one item, or of the whole line for nil.
  func label(_ index: Int?) -> String {
    guard let index else { return label }
    return "\(flight.items[index].entry.text) item \(flight.items[index].index)"
  }
}

/// The claims whose lines are in the window.
struct InFlightClaims {
  private var held: [BatchID: InFlightClaim] = [:]
  private var dirty: [InFlightClaim] = []
  /// Bytes of data of the held claims.
  private(set) var bytes = 0

  mutating func add(_ flight: InFlightClaim) {
    held[flight.batch] = flight
    bytes += flight.bytes.count
  }

  /// Notes the outcome of one item, to be settled.
  mutating func decide(_ line: StreamLine, _ index: Int, _ outcome: Outcome) {
    if !line.flight.isDirty { dirty.append(line.flight) }
    line.flight.decide(index, outcome)
    line.open -= 1
  }

  /// Settles the decided items. A fault in one claim does not stop the others; the first fault is
  /// thrown.
  mutating func settle(_ claimer: Claimer) throws(Fault) {
    let flights = dirty
    dirty.removeAll(keepingCapacity: true)
    var fault: Fault?
    for flight in flights {
      do throws(Fault) {
        if try !flight.settle(claimer) { continue }
      } catch { fault = fault ?? error }
      forget(flight)
    }
    if let fault { throw fault }
  }

  /// Retries the remaining items of all claims; returns the disposals.
  mutating func retry(_ claimer: Claimer, _ failure: Failure) throws(Fault) -> [Disposal] {
    var disposals: [Disposal] = []
    for flight in held.values.sorted(by: { $0.batch < $1.batch }) {
      if let disposal = try flight.retry(claimer, failure) { disposals.append(disposal) }
    }
    self = InFlightClaims()
    return disposals
  }

  private mutating func forget(_ flight: InFlightClaim) {
    if held.removeValue(forKey: flight.batch) != nil { bytes -= flight.bytes.count }
  }
}

extension StreamWindow {
  /// Items that an answer did not acknowledge, for messages.
  struct Answered {
    let line: StreamLine
    /// nil: all remaining items of the line.
    let index: Int?
    let word: Settlement.Result
    let reason: String?
  }

  /// Notes an answer; returns the items that it did not acknowledge.
  func note(_ answer: Settlement) throws(Rejection) -> [Answered] {
    guard let line = open[answer.claim] else {
      throw Rejection(
        "claim \(answer.claim.text) is not open: already answered, or never handed out")
    }
    guard let items = answer.items else {
      let (word, reason) = (answer.result ?? .ok, answer.reason)
      for index in line.items {
        keep(answer.output, of: line, index)
        decide(line, index, word, reason)
      }
      open.close(line)
      return word == .ok ? [] : [Answered(line: line, index: nil, word: word, reason: reason)]
    }
    let indices = try items.map { item throws(Rejection) in try index(item, line) }
    var told: [Answered] = []
    for (item, index) in zip(items, indices) {
      let (word, reason) = (item.result ?? answer.result ?? .ok, item.reason ?? answer.reason)
      keep(item.output ?? answer.output, of: line, index)
      decide(line, index, word, reason)
      if word != .ok { told.append(Answered(line: line, index: index, word: word, reason: reason)) }
    }
    if line.open == 0 { open.close(line) }
    return told
  }

  /// The message about an answer.
  func message(_ answer: Answered) -> String {
    let isBuried = answer.word == .bury || isLast(answer.line)
    let reason = printable(
      answer.reason ?? (answer.word == .bury ? "answered bury" : "answered retry"))
    return answer.line.label(answer.index) + ": \(reason) (attempt \(answer.line.flight.attempt)); "
      + (isBuried ? "buried (dead letter)" : "ready again later")
  }

  private func index(_ item: ItemSettlement, _ line: StreamLine) throws(Rejection) -> Int {
    guard let index = line.index(item.id, item.item) else {
      throw Rejection("\(item.id.text) item \(item.item) is not in claim \(line.token.text)")
    }
    guard !line.flight.isDecided(index) else {
      throw Rejection("\(item.id.text) item \(item.item) was already answered")
    }
    return index
  }

  private func keep(_ output: [UInt8]?, of line: StreamLine, _ index: Int) {
    guard let output, !line.flight.isDecided(index) else { return }
    line.flight.keep(index, output)
  }

  private func decide(
    _ line: StreamLine, _ index: Int, _ word: Settlement.Result, _ reason: String?
  ) {
    guard !line.flight.isDecided(index) else { return }
    let outcome: Outcome =
      switch word {
      case .ok: .done
      case .retry: .retry(Failure(reason ?? "the worker asked for a retry"))
      case .bury: .bury(Failure(reason ?? "buried by the worker"))
      }
    flights.decide(line, index, outcome)
    open.reduce(by: 1)
  }
}

// Lines without an answer.
extension StreamWindow {
  /// Gives back the lines that have not entered the worker's pipe, not even in part.
  func withdraw(from input: WorkerInput) {
    for line in waiting.elements { giveBack(line) }
    waiting.removeAll()
    while let line = open.removeLast(from: input.written) {
      input.cut(at: line.bytes.lowerBound)
      if line.open > 0 { takeBack(line) }
    }
  }

  /// Gives back the lines that were handed out, except those that are within the `taken` bytes and
  /// that `keep` accepts. Returns the number of items.
  func giveBack(taken: Int, but keep: (StreamLine) -> Bool) -> Int {
    let before = items
    for line in open.inOrder where line.bytes.upperBound > taken || !keep(line) { takeBack(line) }
    return before - items
  }

  private func takeBack(_ line: StreamLine) {
    open.reduce(by: line.open)
    giveBack(line)
    open.close(line)
  }

  private func giveBack(_ line: StreamLine) {
    for index in line.items where !line.flight.isDecided(index) {
      flights.decide(line, index, .giveBack)
    }
  }

  /// Retries all unanswered items; returns their number and the disposals.
  func retryOpen(
    _ claimer: Claimer, _ failure: Failure
  ) throws(Fault) -> (items: Int, disposals: [Disposal]) {
    let count = items
    let disposals = try flights.retry(claimer, failure)
    open = UnansweredLines()
    return (count, disposals)
  }
}
