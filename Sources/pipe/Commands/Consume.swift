internal import Glibc
internal import PipeIO
internal import PipeEngine
internal import PipeWork

struct Consume: Command {
  static let about = About(
    "consume", .takeOut, "Take items out: write them to stdout, or run a command for each batch.")

  @Group var queue: QueueOptions

  @Option(
    "--size", value: "n", "Items per batch: 1 with a command or -n, otherwise as many as is fast.")
  var size: Count?

  @Group var dispatch: DispatchOptions

  @Option("-j", value: "jobs", "Commands to run at once; 1 by default.")
  var jobs: Count?

  @Flag(
    "--until-done",
    help:
      "End once every item is done, dead or lost; wait for retries and other consumers until then.")
  var untilDone

  @Option(
    "--priority", value: "priority",
    "Take only items of these priorities: HIGH, MEDIUM or LOW, with commas between them.")
  var priority: LanesArgument?

  @Flag("--envelope", help: "Write batch lines, with claim and ids, instead of plain items.")
  var envelope

  @Group var text: TextOutputOptions

  @Flag(
    "--args",
    help: "Pass items as arguments: in place of {} or of {member}, otherwise as the last argument.")
  var args

  @Option(
    "--keep", value: "size", alone: ByteSize(bytes: OutputKeeping.usualLimit),
    "Keep what commands print, for pipe log: at most this much of stdout and of stderr (64KiB).")
  var keep: ByteSize?

  @Flag("--group", help: "Write the output of each command in one piece, when it ends.")
  var group

  @Flag(
    "--stream", help: "Run the command once; it reads batch lines and answers each with a line.")
  var stream

  @Option(
    "--timeout", value: "duration", "End a command that runs longer than this (500ms 5s 10m 2h 7d)."
  )
  var timeout: SpanArgument?

  @Option(
    "--tag", value: "name", "A label for what this consumer settles; pipe stats reports by it.")
  var tag: Tag?

  @Group var progress: ProgressOptions

  @Arguments(
    "command", place: .afterDashes,
    "The command to run for each batch, without a shell; exit status 0 acknowledges.")
  var command: [String]

  func validate() throws(Mistake) {
    // A script with an unset variable must not acknowledge items that no command has run.
    if command.isEmpty, commandLine.contains("--") {
      throw Mistake("no command after --; is a variable empty?")
    }
    if command.isEmpty, jobs != nil || timeout != nil {
      throw Mistake("-j and --timeout need a command: pipe consume … -- CMD")
    }
    if stream, command.isEmpty {
      throw Mistake("--stream needs a command: pipe consume --stream -- CMD")
    }
    if untilDone, dispatch.follow || dispatch.batches != nil {
      throw Mistake("--until-done ends by itself: leave out --follow and -n")
    }
    if text.text, envelope || stream {
      throw Mistake("--text writes bare items: leave out --envelope and --stream")
    }
    if keep != nil || group, command.isEmpty || stream {
      throw Mistake(
        "--keep and --group need a command for each batch: pipe consume … -- CMD")
    }
    if args { try validateArguments() }
    if stream, envelope || (jobs?.value ?? 1) > 1 {
      throw Mistake(
        "--stream runs one command, on batch lines: leave out -j and --envelope")
    }
    if let command = command.first, command.isEmpty {
      throw Mistake("the command after -- is empty")
    }
  }

  private var template: ArgumentTemplate { ArgumentTemplate(commandBytes) }

  private func validateArguments() throws(Mistake) {
    if command.isEmpty {
      throw Mistake("--args needs a command: pipe consume --args -- CMD")
    }
    if envelope || stream || text.text {
      throw Mistake(
        "--args passes items as arguments: leave out --envelope, --stream and --text")
    }
    if let mistake = template.mistake { throw Mistake(mistake) }
    if (size?.value ?? 1) > 1, !template.takesSeveral {
      throw Mistake(
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
      if !args, command.contains("{}") {
        diagnostics.say("{} is passed as it is; with --args, the item takes its place", .notice)
      }
      // What commands print otherwise goes straight to the terminal.
      if !progress.quiet { source.showProgress(sharesOutput: keep != nil || group) }
      return try source.conclude { () throws(Fault) in try consume(source, diagnostics) }
    }
  }
}
