internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeRender
internal import PipeWork

struct Batch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batch", abstract: "Write batches of items as lines, for pipe ack to settle.")

  @OptionGroup var queue: QueueOptions

  @Option(help: ArgumentHelp("Items per batch; the queue's slice by default.", valueName: "n"))
  var size: Count?

  @OptionGroup var dispatch: DispatchOptions

  @Option(
    help: ArgumentHelp(
      "Do not wait for batches to be settled; keep them claimed for this long.",
      valueName: "duration"))
  var hold: SpanArgument?

  @Flag(help: "Print the batches that would be handed out, and when; take nothing.")
  var dryRun = false

  func validate() throws {
    if dryRun, dispatch.follow || hold != nil {
      throw ValidationError("--dry-run takes nothing: leave out --follow and --hold")
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
