internal import PipeIO
internal import PipeQueue

/// The lines between the queue and a worker: those that wait to be handed out, and those handed out and
/// not answered. Bounded, so that memory is, and so that other consumers get their share.
///
/// Items on their last attempt are handed out alone, one at a time, when nothing else is: should they be
/// the worker's death, no other is buried for it.
final class StreamWindow {
  private let size: Int
  private let lastAttempt: Int
  private let isPaced: Bool
  private var waiting = FIFO<StreamLine>()
  private var open: [EntryID: StreamLine] = [:]
  /// As handed out; the answered ones are passed over.
  private var order = FIFO<StreamLine>()
  private var flights: [EntryID: Flight] = [:]
  private var dirty: [Flight] = []
  private var hasLast = false
  /// Items handed out and not answered.
  private(set) var items = 0
  /// Bytes of data of the claims that are held.
  private var bytes = 0
  /// When the oldest line became that. Microseconds of `Clock.steady`.
  private(set) var oldestSince: Int64 = 0

  /// Items handed out and not answered, at the most; but one line may have more.
  static let mostItems = 1024
  /// Bytes of data of the claims that are held, at the most; but one item may have more.
  static let mostBytes = 4 << 20
  /// Items claimed at once: few claims for many lines.
  private static let portion = 256

  /// `size`: items a line, at the most. Where there is a pace each line is a batch of its own.
  init(size: Int, lastAttempt: Int, isPaced: Bool) {
    self.size = size
    self.isPaced = isPaced
    self.lastAttempt = lastAttempt
  }

  var isEmpty: Bool { open.isEmpty && waiting.isEmpty }
  var isAllHandedOut: Bool { waiting.isEmpty }

  /// Lines to claim at once.
  private var portion: Int { isPaced ? 1 : max(1, StreamWindow.portion / size) }

  var wantsMore: Bool {
    waiting.isEmpty && !hasLast
      && (items == 0
        || items + portion * size <= StreamWindow.mostItems && bytes < StreamWindow.mostBytes)
  }

  /// Items to claim now, for so many lines at the most.
  func wanted(lines: Int) -> Int { min(portion, lines) * size }
  var wantedBytes: Int { max(1, StreamWindow.mostBytes - bytes) }

  /// Returns how many lines it makes.
  func add(_ claim: consuming Claim) -> Int {
    let step = claim.attempt >= lastAttempt ? 1 : size
    let count = (claim.items.count + step - 1) / step
    var tokens: [EntryID] = []
    for number in 0..<count { tokens.append(claim.token(number)) }
    let flight = Flight(claim)
    flights[flight.batch] = flight
    bytes += flight.bytes.count
    for (number, token) in tokens.enumerated() {
      let items = number * step..<min(flight.items.count, (number + 1) * step)
      waiting.append(StreamLine(flight, items, token: token))
    }
    return count
  }

  /// Puts in what may be handed out.
  func handOut(to input: WorkerInput) {
    while let line = waiting.first {
      let isLast = line.flight.attempt >= lastAttempt
      guard isLast ? open.isEmpty : !hasLast else { return }
      waiting.removeFirst()
      hasLast = isLast
      let start = input.end
      let flight = line.flight
      input.append { out in
        BatchLine.append(
          line.token, flight.attempt, flight.items[line.items], data: flight.bytes, to: &out)
      }
      line.bytes = start..<input.end
      if open.isEmpty { oldestSince = Clock.steady() }
      open[line.token] = line
      order.append(line)
      items += line.items.count
    }
  }
}

// Answers.
extension StreamWindow {
  /// The line that was handed out first, of those without an answer.
  var oldest: StreamLine? { order.first }

  /// What an answer said of some items, for those who tell it.
  struct Answered {
    let line: StreamLine
    /// nil: all that was left of the line.
    let index: Int?
    let word: Settlement.Word
    let reason: String?
  }

  /// Notes an answer; returns what was not acknowledged by it.
  func note(_ answer: Settlement) throws(Rejection) -> [Answered] {
    guard let line = open[answer.claim] else {
      throw Rejection(
        "claim \(answer.claim.text) is not open: answered before, or never handed out")
    }
    guard let items = answer.items else {
      let (word, reason) = (answer.result ?? .ok, answer.reason)
      for index in line.items { decide(line, index, word, reason) }
      close(line)
      return word == .ok ? [] : [Answered(line: line, index: nil, word: word, reason: reason)]
    }
    let indices = try items.map { item throws(Rejection) in try index(item, line) }
    var told: [Answered] = []
    for (item, index) in zip(items, indices) {
      let (word, reason) = (item.result ?? answer.result ?? .ok, item.reason ?? answer.reason)
      decide(line, index, word, reason)
      if word != .ok { told.append(Answered(line: line, index: index, word: word, reason: reason)) }
    }
    if line.open == 0 { close(line) }
    return told
  }

  /// How messages tell it.
  func story(_ answer: Answered) -> String {
    let attempt = answer.line.flight.attempt
    let isBuried = answer.word == .bury || attempt >= lastAttempt
    let reason = printable(
      answer.reason ?? (answer.word == .bury ? "to be buried" : "to be retried"))
    return answer.line.label(answer.index) + ": \(reason) (attempt \(attempt)); "
      + (isBuried ? "buried (dead letter)" : "ready again later")
  }

  private func index(_ item: ItemSettlement, _ line: StreamLine) throws(Rejection) -> Int {
    guard let index = line.index(item.id, item.item) else {
      throw Rejection("\(item.id.text) item \(item.item) is not in claim \(line.token.text)")
    }
    guard !line.flight.isDecided(index) else {
      throw Rejection("\(item.id.text) item \(item.item) was answered before")
    }
    return index
  }

  private func decide(
    _ line: StreamLine, _ index: Int, _ word: Settlement.Word, _ reason: String?
  ) {
    guard !line.flight.isDecided(index) else { return }
    let outcome: Outcome =
      switch word {
      case .ok: .done
      case .retry: .retry(Failure(reason ?? "the worker asked for a retry"))
      case .bury: .bury(Failure(reason ?? "buried by the worker"))
      }
    decide(line, index, outcome)
    items -= 1
  }

  private func decide(_ line: StreamLine, _ index: Int, _ outcome: Outcome) {
    if !line.flight.isDirty { dirty.append(line.flight) }
    line.flight.decide(index, outcome)
    line.open -= 1
  }

  private func close(_ line: StreamLine) {
    open[line.token] = nil
    if line.flight.attempt >= lastAttempt { hasLast = false }
    guard order.first === line else { return }
    while let first = order.first, first.open == 0 { order.removeFirst() }
    oldestSince = Clock.steady()
  }

  /// Settles what was answered.
  func settle(_ claimer: Claimer) throws(Fault) {
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

  private func forget(_ flight: Flight) {
    if flights.removeValue(forKey: flight.batch) != nil { bytes -= flight.bytes.count }
  }
}

// What goes back without an answer.
extension StreamWindow {
  /// Gives back what is not yet, not even in part, with the worker's pipe.
  func withdraw(from input: WorkerInput) {
    for line in waiting.elements { giveBack(line) }
    waiting.removeAll()
    while let line = order.last, line.bytes.lowerBound >= input.written {
      order.removeLast()
      input.cut(at: line.bytes.lowerBound)
      if line.open > 0 { takeBack(line) }
    }
  }

  /// Gives back what was handed out, of which the worker has taken `taken` bytes, but for the lines that
  /// it has taken and that `keep` names. Returns how many items.
  func giveBack(taken: Int, but keep: (StreamLine) -> Bool) -> Int {
    let before = items
    for line in order.elements where line.open > 0 {
      if line.bytes.upperBound > taken || !keep(line) { takeBack(line) }
    }
    return before - items
  }

  private func takeBack(_ line: StreamLine) {
    items -= line.open
    giveBack(line)
    close(line)
  }

  private func giveBack(_ line: StreamLine) {
    for index in line.items where !line.flight.isDecided(index) { decide(line, index, .giveBack) }
  }

  /// All that has no answer has failed; returns what became of it, and of how many items.
  func retryOpen(
    _ claimer: Claimer, _ failure: Failure
  ) throws(Fault) -> (items: Int, disposals: [Disposal]) {
    let count = items
    var disposals: [Disposal] = []
    for flight in flights.values.sorted(by: { $0.batch < $1.batch }) {
      if let disposal = try flight.retry(claimer, failure) { disposals.append(disposal) }
    }
    flights = [:]
    open = [:]
    order.removeAll()
    items = 0
    return (count, disposals)
  }
}
