internal import ArgumentParser
internal import PipeIO
internal import PipeMeasure
internal import PipeQueue
internal import PipeTime

struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "Watch queues on the terminal: how full, how fast, what runs.")

  @OptionGroup var queue: QueueOptions

  @Option(
    help: ArgumentHelp("Redraw at this interval: 2s by default.", valueName: "duration"))
  var every: SpanArgument?

  private var interval: TimeSpan { every?.span ?? .seconds(2) }

  @Argument(help: "More queues.", completion: .directory)
  var directory: [String] = []

  func validate() throws {
    if interval < .milliseconds(100) { throw ValidationError("--every must be 100ms or more") }
    if directory.contains("") { throw ValidationError("the queue is empty; name a directory") }
  }

  func run() {
    let named = directory.map { QueueLocation(path: $0, force: queue.force) }
    let own = named.isEmpty || queue.queue != nil ? [queue.location] : []
    Exit.perform("top", TopJob(queues: own + named, every: interval).run)
  }
}
