internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeWork

struct Ack: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ack", abstract: "Settle the batches that pipe batch handed out.")

  @OptionGroup var queue: QueueOptions

  @Flag(help: "Retry items whose line names no result.")
  var retry = false

  @Flag(help: "Bury items whose line names no result.")
  var bury = false

  @Option(help: ArgumentHelp("The reason, for the history and the dead letter.", valueName: "text"))
  var reason: String?

  @Flag(help: "Write each line to stdout once it is settled and on disk.")
  var tee = false

  @Argument(help: "Claim tokens or batch lines; lines from stdin if none.")
  var claim: [String] = []

  func validate() throws {
    if retry, bury { throw ValidationError("--retry and --bury exclude each other") }
    try requireText(reason, "--reason")
  }

  func run() {
    let word: Settlement.Result = retry ? .retry : bury ? .bury : .ok
    let job = AckJob(
      queue: queue.location, fallback: word, reason: reason, tee: tee, claims: claim)
    Exit.perform("ack", job.run)
  }
}
