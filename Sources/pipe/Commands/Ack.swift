internal import PipeIO
internal import PipeEngine
internal import PipeWork

struct Ack: Command {
  static let about = About("ack", .takeOut, "Settle the batches that pipe batch handed out.")

  @Group var queue: QueueOptions

  @Flag("--retry", help: "Retry items whose line names no result.")
  var retry

  @Flag("--bury", help: "Bury items whose line names no result.")
  var bury

  @Option("--reason", value: "text", "The reason, for the history and the dead letter.")
  var reason: String?

  @Flag("--tee", help: "Write each line to stdout once it is settled and on disk.")
  var tee

  @Arguments("claim", "Claim tokens or batch lines; lines from stdin if none.")
  var claim: [String]

  func validate() throws(Mistake) {
    if retry, bury { throw Mistake("--retry and --bury exclude each other") }
    try requireText(reason, "--reason")
  }

  func run() {
    let word: Settlement.Result = retry ? .retry : bury ? .bury : .ok
    let job = AckJob(
      queue: queue.location, fallback: word, reason: reason, tee: tee, claims: claim)
    Exit.perform("ack", job.run)
  }
}
