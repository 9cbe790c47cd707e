internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeRender

struct Drop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop", abstract: "Remove dead letters or lost items; their entries stay failed.")

  @OptionGroup var queue: QueueOptions
  @OptionGroup var choice: DeadLetterSelection

  @Flag(help: "Remove the items lost to damage, not dead letters.")
  var lost = false

  func validate() throws {
    if choice.isMade == lost { throw ValidationError("give ids, --all or --lost") }
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
