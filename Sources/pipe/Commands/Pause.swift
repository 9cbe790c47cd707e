internal import PipeIO
internal import PipeEngine
internal import PipeRender
internal import PipeTime

struct Pause: Command {
  static let about = About("pause", .control, "Let consumers take nothing new until pipe resume.")

  @Group var queue: QueueOptions

  @Option("--for", value: "duration", "End the pause after this time.")
  var span: SpanArgument?

  @Option("--reason", value: "text", "Why, for explain, stats and the dashboard.")
  var reason: String?

  func validate() throws(Mistake) {
    if span?.span == .zero { throw Mistake("--for must be positive") }
    try requireText(reason, "--reason")
  }

  func run() {
    Exit.perform("pause") { () throws(Fault) in
      let queue = try queue.location.open(Diagnostics(command: "pause"))
      try queue.pause(until: span.map { Clock.now() + $0.span }, reason: reason ?? "")
      return Exit.fine
    }
  }
}

struct Resume: Command {
  static let about = About("resume", .control, "End a pause: consumers go on.")

  @Group var queue: QueueOptions

  func run() {
    Exit.perform("resume") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "resume")
      let queue = try queue.location.open(diagnostics)
      if try !queue.resume() { diagnostics.say("\(printable(queue.path)): was not paused") }
      return Exit.fine
    }
  }
}
