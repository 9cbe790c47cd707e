internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeRender
internal import PipeTime

struct Pause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Let consumers take nothing new until pipe resume.")

  @OptionGroup var queue: QueueOptions

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("End the pause after this time.", valueName: "duration"))
  var span: SpanArgument?

  @Option(help: ArgumentHelp("Why, for explain, stats and the dashboard.", valueName: "text"))
  var reason: String?

  func validate() throws {
    if span?.span == .zero { throw ValidationError("--for must be positive") }
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

struct Resume: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "End a pause: consumers go on.")

  @OptionGroup var queue: QueueOptions

  func run() {
    Exit.perform("resume") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "resume")
      let queue = try queue.location.open(diagnostics)
      if try !queue.resume() { diagnostics.say("\(printable(queue.path)): was not paused") }
      return Exit.fine
    }
  }
}
