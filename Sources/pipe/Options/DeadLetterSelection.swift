internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeRender

/// The dead letters that `retry` or `drop` acts on.
struct DeadLetterSelection: ParsableArguments {
  @Flag(help: "All dead letters.")
  var all = false

  @Argument(help: "Entry ids.")
  var id: [String] = []

  var isMade: Bool { all || !id.isEmpty }

  func validate() throws {
    if all, !id.isEmpty { throw ValidationError("give ids or --all, not both") }
  }

  typealias Treat = (EntryID) throws(Fault) -> Int
  typealias TreatAll = ((DeadLetterResult) throws(Fault) -> Void) throws(Fault) -> Void

  /// Applies `one` to each id, or `all`, and prints a line per entry.
  func run(
    _ command: String, _ location: QueueLocation, one: (Queue) -> Treat, all: (Queue) -> TreatAll
  ) -> Never {
    Exit.perform(command) { () throws(Fault) in
      let diagnostics = Diagnostics(command: command)
      let queue = try location.open(diagnostics)
      if self.all { try all(queue)(print) }
      var status = Exit.fine
      for text in id {
        let id = EntryID(text)
        let count = try id.map(one(queue)) ?? 0
        if let id, count > 0 {
          try print(DeadLetterResult(id: id, items: count))
        } else {
          diagnostics.unknown(text, "has no dead letter", queue)
          status = Exit.someFailed
        }
      }
      return status
    }
  }

  private func print(_ treated: DeadLetterResult) throws(Fault) {
    let output = Output()
    output.bytes = treated.line + [0x0a]
    try output.flush()
  }
}
