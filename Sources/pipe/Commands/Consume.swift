internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeWork

struct Consume: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consume",
    abstract: "Take items out: write them to stdout, or run a command for each batch.")

  @OptionGroup var queue: QueueOptions

  @Option(
    help: ArgumentHelp(
      "Items per batch: 1 with a command or -n, otherwise as many as is fast.", valueName: "n"))
  var size: Count?

  @OptionGroup var dispatch: DispatchOptions

  @Option(
    name: .customShort("j", allowingJoined: true),
    help: ArgumentHelp("Commands to run at once; 1 by default.", valueName: "jobs"))
  var jobs: Count?

  @Flag(help: "Write batch lines, with claim and ids, instead of plain items.")
  var envelope = false

  @Flag(help: "Run the command once; it reads batch lines and answers each with a line.")
  var stream = false

  @Option(
    help: ArgumentHelp(
      "End a command that runs longer than this (500ms 5s 10m 2h 7d).", valueName: "duration")
  )
  var timeout: Duration?

  @Option(
    help: ArgumentHelp(
      "A label for what this consumer settles; pipe stats reports by it.", valueName: "name"))
  var tag: Tag?

  @Argument(
    parsing: .postTerminator,
    help: "The command to run for each batch, without a shell; exit status 0 acknowledges.")
  var command: [String] = []

  func validate() throws {
    // A script with an unset variable must not acknowledge items that no command has run.
    if command.isEmpty, commandLine.contains("--") {
      throw ValidationError("no command after --; is a variable empty?")
    }
    if command.isEmpty, jobs != nil || timeout != nil {
      throw ValidationError("-j and --timeout need a command: pipe consume … -- CMD")
    }
    if stream, command.isEmpty {
      throw ValidationError("--stream needs a command: pipe consume --stream -- CMD")
    }
    if stream, envelope || (jobs?.value ?? 1) > 1 {
      throw ValidationError(
        "--stream runs one command, on batch lines: leave out -j and --envelope")
    }
    if let command = command.first, command.isEmpty {
      throw ValidationError("the command after -- is empty")
    }
  }

  private func consume(
    _ source: BatchSource, _ diagnostics: Diagnostics
  ) throws(Fault) -> Int32 {
    if command.isEmpty { return try ItemWriter(source, envelope: envelope).run() }
    if stream {
      let runner = StreamRunner(
        source, diagnostics, timeout: timeout?.microseconds,
        lastAttempt: source.queue.settings.retries + 1)
      return try runner.run()
    }
    let runner = CommandRunner(
      source, diagnostics, jobs: jobs?.value ?? 1, envelope: envelope,
      timeout: timeout?.microseconds)
    return try runner.run()
  }

  func run() {
    Exit.perform("consume") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "consume")
      ignoreBrokenPipes()
      let queue = try dispatch.open(queue.location, diagnostics)
      let source = try BatchSource(queue, dispatch.limits(size: size?.value))
      source.claimer.tag = tag?.text
      return try source.conclude { () throws(Fault) in try consume(source, diagnostics) }
    }
  }
}
