internal import PipeIO
internal import PipeEngine
internal import PipeRender

struct Dead: Command {
  static let about = About("dead", .look, "Print dead letters: items no longer tried, and why.")

  @Group var queue: QueueOptions

  @Arguments("id", "Entry ids; all dead letters if none.")
  var id: [String]

  @Group var form: TableOptions

  func run() {
    Exit.perform("dead") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "dead")
      let queue = try queue.location.open(diagnostics)
      let output = Output()
      let table = form.json ? nil : EntryTable(.dead)
      let print = { (letter: DeadLetter) throws(Fault) -> Bool in
        if let table {
          table.append(letter, to: output)
        } else {
          DeadLine.append(letter, to: output)
        }
        if output.bytes.count > 1 << 16 { try output.flush() }
        return true
      }
      var status = Exit.fine
      if id.isEmpty { try queue.deadLetters(print) }
      for text in id {
        let letters = try EntryID(text).flatMap { (id) throws(Fault) in
          try queue.deadLetters(of: id)
        }
        for letter in letters ?? [] { _ = try print(letter) }
        if letters?.isEmpty ?? true {
          let missing = "has no dead letter; see pipe explain"
          diagnostics.unknown(text, letters == nil ? nil : missing, in: queue.path)
          status = Exit.someFailed
        }
      }
      try output.flush()
      return status
    }
  }
}

struct Retry: Command {
  static let about = About(
    "retry", .repair, "Make dead items ready again, as if they had never been tried.")

  @Group var queue: QueueOptions
  @Group var choice: DeadLetterSelection

  func validate() throws(Mistake) {
    if !choice.isMade { throw Mistake("give ids or --all") }
  }

  func run() {
    choice.run("retry", queue.location, one: Queue.revive, all: Queue.reviveAll)
  }
}

struct Drop: Command {
  static let about = About(
    "drop", .repair, "Remove dead letters or lost items; their entries stay failed.")

  @Group var queue: QueueOptions
  @Group var choice: DeadLetterSelection

  @Flag("--lost", help: "Remove the items lost to damage, not dead letters.")
  var lost

  func validate() throws(Mistake) {
    if choice.isMade == lost { throw Mistake("give one of ids, --all and --lost") }
  }

  func run() {
    guard lost else {
      choice.run("drop", queue.location, one: Queue.drop, all: Queue.dropAll)
    }
    Exit.perform("drop") { () throws(Fault) in
      let queue = try queue.location.open(Diagnostics(command: "drop"))
      let output = Output()
      try queue.dropLost { (items) throws(Fault) in
        ListLine.append(items, to: output)
        try output.flush()
      }
      return Exit.fine
    }
  }
}

/// The dead letters that `retry` or `drop` acts on.
struct DeadLetterSelection: OptionGroup {
  @Flag("--all", help: "All dead letters.")
  var all

  @Arguments("id", "Entry ids.")
  var id: [String]

  var isMade: Bool { all || !id.isEmpty }

  func validate() throws(Mistake) {
    if all, !id.isEmpty { throw Mistake("give ids or --all, not both") }
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
          diagnostics.unknown(text, "has no dead letter; see pipe explain", in: queue.path)
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
