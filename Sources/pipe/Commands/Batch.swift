internal import PipeIO
internal import PipeEngine
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
