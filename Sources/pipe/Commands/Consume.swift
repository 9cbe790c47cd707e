internal import ArgumentParser
internal import Glibc
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

  @Flag(
    help: "End once every item is done or dead; wait for retries and other consumers until then.")
  var untilDone = false

  @Option(
    help: ArgumentHelp(
      "Take only items of these priorities: HIGH, MEDIUM or LOW, with commas between them.",
      valueName: "priority"))
  var priority: LanesArgument?

  @Flag(help: "Write batch lines, with claim and ids, instead of plain items.")
  var envelope = false

  @OptionGroup var text: TextOutputOptions

  @Flag(
    help: "Pass items as arguments: in place of {} or of {member}, otherwise as the last argument.")
  var args = false

  @Option(
    defaultAsFlag: ByteSize(bytes: OutputKeeping.usualLimit),
    help: ArgumentHelp(
      "Keep what commands print, for pipe log: at most this much of stdout and of stderr (64KiB).",
      valueName: "size"))
  var keep: ByteSize?

  @Flag(help: "Write the output of each command in one piece, when it ends.")
  var group = false

  @Flag(help: "Run the command once; it reads batch lines and answers each with a line.")
  var stream = false

  @Option(
    help: ArgumentHelp(
      "End a command that runs longer than this (500ms 5s 10m 2h 7d).", valueName: "duration")
  )
  var timeout: SpanArgument?

  @Option(
    help: ArgumentHelp(
      "A label for what this consumer settles; pipe stats reports by it.", valueName: "name"))
  var tag: Tag?

  @OptionGroup var progress: ProgressOptions

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
    if untilDone, dispatch.follow || dispatch.batches != nil {
      throw ValidationError("--until-done ends by itself: leave out --follow and -n")
    }
    if text.text, envelope || stream {
      throw ValidationError("--text writes bare items: leave out --envelope and --stream")
    }
    if keep != nil || group, command.isEmpty || stream {
      throw ValidationError(
        "--keep and --group need a command for each batch: pipe consume … -- CMD")
    }
    if args { try validateArguments() }
    if stream, envelope || (jobs?.value ?? 1) > 1 {
      throw ValidationError(
        "--stream runs one command, on batch lines: leave out -j and --envelope")
    }
    if let command = command.first, command.isEmpty {
      throw ValidationError("the command after -- is empty")
    }
  }

  private var template: ArgumentTemplate { ArgumentTemplate(commandBytes) }

  private func validateArguments() throws {
    if command.isEmpty {
      throw ValidationError("--args needs a command: pipe consume --args -- CMD")
    }
    if envelope || stream || text.text {
      throw ValidationError(
        "--args passes items as arguments: leave out --envelope, --stream and --text")
    }
    if let mistake = template.mistake { throw ValidationError(mistake) }
    if (size?.value ?? 1) > 1, !template.takesSeveral {
      throw ValidationError(
        "with --size, {} must be an argument of its own, and {member} cannot be used")
    }
  }

  private var form: ItemForm { text.end.map(ItemForm.text) ?? (envelope ? .envelope : .json) }

  private func consume(
    _ source: BatchSource, _ diagnostics: Diagnostics
  ) throws(Fault) -> Int32 {
    if command.isEmpty { return try ItemWriter(source, form).run() }
    if stream {
      let runner = try StreamRunner(
        source, diagnostics, timeout: timeout?.span,
        lastAttempt: source.queue.settings.retries + 1)
      return try runner.run()
    }
    let runner = try CommandRunner(
      source, diagnostics, jobs: jobs?.value ?? 1,
      input: args ? .arguments(template) : .stdin(form),
      keeping: OutputKeeping(limit: keep?.bytes, isGrouped: group), timeout: timeout?.span)
    return try runner.run()
  }

  func run() {
    Exit.perform("consume") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "consume")
      ignoreBrokenPipes()
      let queue = try dispatch.open(queue.location, diagnostics)
      let source = try BatchSource(queue, dispatch.limits(size: size?.value, untilDone: untilDone))
      source.claimer.tag = tag?.text
      if let priority { source.claimer.lanes = priority.lanes }
      if !args, command.contains("{}"), isatty(STDERR_FILENO) != 0 {
        diagnostics.say("{} is passed as it is; with --args, the item takes its place", .notice)
      }
      // What commands print otherwise goes straight to the terminal.
      if !progress.quiet { source.showProgress(sharesOutput: keep != nil || group) }
      return try source.conclude { () throws(Fault) in try consume(source, diagnostics) }
    }
  }
}
