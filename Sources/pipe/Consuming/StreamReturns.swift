internal import PipeIO
internal import PipeQueue

// What goes back without an answer.
extension StreamWindow {
  /// Gives back what is not yet, not even in part, with the worker's pipe.
  func withdraw(from input: WorkerInput) {
    for line in waiting.elements { giveBack(line) }
    waiting.removeAll()
    while let line = open.removeLast(from: input.written) {
      input.cut(at: line.bytes.lowerBound)
      if line.open > 0 { takeBack(line) }
    }
  }

  /// Gives back what was handed out, of which the worker has taken `taken` bytes, but for the lines that
  /// it has taken and that `keep` names. Returns how many items.
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

  /// All that has no answer has failed; returns what became of it, and of how many items.
  func retryOpen(
    _ claimer: Claimer, _ failure: Failure
  ) throws(Fault) -> (items: Int, disposals: [Disposal]) {
    let count = items
    let disposals = try flights.retry(claimer, failure)
    open = OpenLines()
    return (count, disposals)
  }
}
