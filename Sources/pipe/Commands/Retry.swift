internal import ArgumentParser
internal import PipeQueue

struct Retry: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Make dead items ready again, as if they had never been tried.")

  @OptionGroup var queue: QueueOptions
  @OptionGroup var choice: DeadLetterSelection

  func validate() throws {
    if !choice.isMade { throw ValidationError("give ids or --all") }
  }

  func run() {
    choice.run("retry", queue.location, one: Queue.revive, all: Queue.reviveAll)
  }
}
