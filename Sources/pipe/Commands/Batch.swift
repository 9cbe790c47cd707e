internal import PipeEngine
internal import PipeIO
internal import PipeRender
internal import PipeWork

struct Batch: Command {
  static let about = About(
    "batch", .takeOut, "Write batches of items as lines, for pipe ack to settle.")

  @Group var queue: QueueOptions

  @Option("--size", value: "n", "Items per batch; the queue's slice by default.")
  var size: Count?

  @Group var dispatch: DispatchOptions

  @Option(
    "--hold", value: "duration",
    "Do not wait for batches to be settled; keep them claimed for this long.")
  var hold: SpanArgument?

  @Flag("--dry-run", help: "Print the batches that would be handed out, and when; take nothing.")
  var dryRun

  func validate() throws(Mistake) {
    if dryRun, dispatch.follow || hold != nil {
      throw Mistake("--dry-run takes nothing: leave out --follow and --hold")
    }
  }

  func run() {
    Exit.perform("batch") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "batch")
      ignoreBrokenPipes()
      let queue = try dispatch.open(queue.location, diagnostics)
      let size = size?.value ?? queue.settings.slice
      if dryRun { return try rehearse(queue, size) }
      let source = try BatchSource(queue, dispatch.limits(size: size))
      return try source.conclude { () throws(Fault) in
        if let hold {
          return try HoldWriter(source: source, size: size, span: hold.span).run()
        }
        return try BatchWriter(source, diagnostics, size: size).run()
      }
    }
  }

  private func rehearse(_ queue: Queue, _ size: Int) throws(Fault) -> Int32 {
    let output = Output()
    let limits = dispatch.limits(size: size)
    var left = limits.batches
    try Claimer(queue).rehearse(size: size, every: limits.every) { (wait, batch) throws(Fault) in
      output.bytes += BatchLine.bytes(batch, startingIn: wait)
      try output.flush()
      left -= 1
      return left > 0
    }
    return Exit.fine
  }
}

struct Ack: Command {
  static let about = About("ack", .takeOut, "Settle the batches that pipe batch handed out.")

  @Group var queue: QueueOptions

  @Flag("--retry", help: "Retry items whose line names no result.")
  var retry

  @Flag("--bury", help: "Bury items whose line names no result.")
  var bury

  @Option("--reason", value: "text", "The reason, for the history and the dead letter.")
  var reason: String?

  @Flag("--tee", help: "Write each line to stdout once its settlement is on disk.")
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
