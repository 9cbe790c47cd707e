internal import PipeIO
internal import PipeMeasure
internal import PipeEngine
internal import PipeTime

struct Top: Command {
  static let about = About(
    "top", .look, "Watch queues on the terminal: how full, how fast, what runs.")

  @Group var queue: QueueOptions

  @Option("--every", value: "duration", "Redraw at this interval: 2s by default.")
  var every: SpanArgument?

  private var interval: TimeSpan { every?.span ?? .seconds(2) }

  @Arguments("directory", "More queues.")
  var directory: [String]

  func validate() throws(Mistake) {
    if interval < .milliseconds(100) { throw Mistake("--every must be 100ms or more") }
    if directory.contains("") { throw Mistake("the queue is empty; name a directory") }
  }

  func run() {
    let named = directory.map { QueueLocation(path: $0, force: queue.force) }
    let own = named.isEmpty || queue.queue != nil ? [queue.location] : []
    Exit.perform("top", TopJob(queues: own + named, every: interval).run)
  }
}
