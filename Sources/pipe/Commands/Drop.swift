internal import ArgumentParser
internal import PipeQueue

struct Drop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop", abstract: "Remove dead letters; their entries stay failed.")

  @OptionGroup var queue: QueueOptions
  @OptionGroup var choice: DeadChoice

  func run() {
    choice.run("drop", queue.location, one: Queue.drop, all: Queue.dropAll)
  }
}
