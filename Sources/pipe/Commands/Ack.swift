internal import PipeWork
internal import ArgumentParser
internal import PipeIO
internal import PipeQueue

struct Ack: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ack", abstract: "Settle what pipe batch handed out.")

  @OptionGroup var queue: QueueOptions

  @Flag(help: "What says nothing else has failed: ready again after a while.")
  var retry = false

  @Flag(help: "What says nothing else is of no use: make dead letters of it.")
  var bury = false

  @Option(help: ArgumentHelp("Why, for the history and the dead letter.", valueName: "text"))
  var reason: String?

  @Flag(help: "Write each line to stdout once it is settled and on disk.")
  var tee = false

  @Argument(help: "Tokens of claims, or batch lines; the lines on stdin if none.")
  var claim: [String] = []

  func validate() throws {
    if retry, bury { throw ValidationError("--retry or --bury, not both") }
    try requireText(reason, "--reason")
  }

  func run() {
    let word: Settlement.Word = retry ? .retry : bury ? .bury : .ok
    let job = AckJob(
      queue: queue.location, fallback: word, reason: reason, tee: tee, claims: claim)
    Exit.perform("ack", job.run)
  }
}
