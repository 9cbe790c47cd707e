internal import ArgumentParser
internal import PipeIO
internal import PipeQueue

struct Retry: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Make dead items ready again, as if they had never been tried.")

  @OptionGroup var queue: QueueOptions
  @OptionGroup var choice: DeadChoice

  func run() {
    let choice = choice
    let location = queue.location
    Exit.perform("retry") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "retry")
      let queue = try location.open(diagnostics)
      return try choice.treat(queue, diagnostics, one: queue.revive, all: queue.reviveAll)
    }
  }
}

struct Drop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop", abstract: "Remove dead letters; their entries stay failed.")

  @OptionGroup var queue: QueueOptions
  @OptionGroup var choice: DeadChoice

  func run() {
    let choice = choice
    let location = queue.location
    Exit.perform("drop") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "drop")
      let queue = try location.open(diagnostics)
      return try choice.treat(queue, diagnostics, one: queue.drop, all: queue.dropAll)
    }
  }
}

/// Which dead letters.
struct DeadChoice: ParsableArguments {
  @Flag(help: "All there are.")
  var all = false

  @Argument(help: "Ids of entries.")
  var id: [String] = []

  func validate() throws {
    if all == !id.isEmpty { throw ValidationError("name ids, or --all") }
  }

  typealias TreatAll = ((Treated) throws(Fault) -> Void) throws(Fault) -> Void

  func treat(
    _ queue: Queue, _ diagnostics: Diagnostics, one: (EntryID) throws(Fault) -> Int, all: TreatAll
  ) throws(Fault) -> Int32 {
    let output = Output()
    let print = { (treated: Treated) throws(Fault) -> Void in
      output.append(#"{"id":""# + treated.id.text + #"","items":\#(treated.items)}"# + "\n")
      try output.flush()
    }
    if self.all { try all(print) }
    var status = Exit.fine
    for text in id {
      let id = EntryID(text)
      let count = try id.map { (id) throws(Fault) in try one(id) } ?? 0
      if let id, count > 0 {
        try print(Treated(id: id, items: count))
      } else {
        diagnostics.unknown(text, "has no dead letter", queue)
        status = Exit.someFailed
      }
    }
    return status
  }
}
