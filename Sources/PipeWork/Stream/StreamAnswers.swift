internal import PipeIntake
internal import PipeIO
internal import PipeEngine

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
