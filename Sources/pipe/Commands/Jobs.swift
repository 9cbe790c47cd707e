internal import PipeEngine
internal import PipeIO
internal import PipeIntake
internal import PipeRender
internal import PipeTime
internal import PipeWork

struct Submit: Command {
  static let about = About(
    "submit", .putIn, "Store a command that pipe work runs later, and print its id.")

  @Group var queue: QueueOptions

  @Option(
    "--priority", value: "priority",
    "The priority of the command: HIGH, MEDIUM (the default) or LOW.")
  var priority = LaneArgument(.medium)

  @Group var time: ScheduleOptions

  @Option(
    "--env", value: "name",
    "A variable of the environment to store, or NAME=value; PATH is always stored; may be repeated."
  )
  var env: [String]

  @Arguments(
    "command", place: .rest,
    "The command, run without a shell in this directory; -- may precede it.")
  var command: [String]

  func validate() throws(Mistake) {
    if command.first?.isEmpty ?? true { throw Mistake("give a command: pipe submit CMD") }
  }

  func run() {
    Exit.perform("submit") { () throws(Fault) in
      return try SubmitJob(
        queue: queue.location, priority: priority.priority, schedule: time.schedule,
        job: try Job.here(command.map(\.systemBytes), variables: env)
      ).run()
    }
  }
}

struct Work: Command {
  static let about = About("work", .takeOut, "Run the commands that pipe submit stored.")

  @Group var queue: QueueOptions

  @Option("-j", value: "jobs", "Commands to run at once; 1 by default.")
  var jobs: Count?

  @Flag("--follow", help: "Wait for more instead of ending when nothing is ready.")
  var follow

  @Flag(
    "--until-done",
    help: "End once every command is done, dead or lost; wait for retries until then.")
  var untilDone

  @Option("--timeout", value: "duration", "End a command that runs longer than this.")
  var timeout: SpanArgument?

  @Group var progress: ProgressOptions

  func validate() throws(Mistake) {
    if follow, untilDone { throw Mistake("--follow and --until-done exclude each other") }
  }

  func run() {
    Exit.perform("work") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "work")
      ignoreBrokenPipes()
      let location = queue.location
      let queue =
        try follow
        ? location.create(diagnostics) : location.open(diagnostics)
      let limits = Limits(size: 1, batches: .max, follow: follow, untilDone: untilDone)
      let source = try BatchSource(queue, limits)
      source.runsJobs = true
      if !progress.quiet { source.showProgress(sharesOutput: true) }
      return try source.conclude { () throws(Fault) in
        let runner = try CommandRunner(
          source, diagnostics, jobs: jobs?.value ?? 1, input: .jobs,
          keeping: OutputKeeping(limit: OutputKeeping.usualLimit, isGrouped: true),
          timeout: timeout?.span)
        return try runner.run()
      }
    }
  }
}

struct Log: Command {
  static let about = About("log", .look, "Print what commands printed, and how they ended.")

  @Group var queue: QueueOptions

  @Flag("--json", help: "Print a JSON line for each attempt.")
  var json

  @Option("--attempt", value: "n", "Only this attempt; the last one by default.")
  var attempt: Count?

  @Flag("--stdout", help: "Print only stdout.")
  var stdout

  @Flag("--stderr", help: "Print only stderr.")
  var stderr

  @Arguments("id", isRequired: true, "Entry ids.")
  var id: [String]

  func validate() throws(Mistake) {
    if stdout, stderr { throw Mistake("--stdout and --stderr exclude each other") }
    if json, stdout || stderr {
      throw Mistake("--json has both streams: leave out --stdout and --stderr")
    }
  }

  /// Why there is no output of an entry.
  private func missing(_ text: String, _ queue: Queue) throws(Fault) -> String {
    if let attempt { return "nothing is kept of attempt \(attempt.value)" }
    switch try EntryID(text).flatMap({ (id) throws(Fault) in try queue.status(id) })?.word {
    case .yetToStart: return "it has not run yet; see pipe explain"
    case .triggered: return "its output is kept when an attempt ends; see pipe explain"
    default: return "nothing is kept of it; consume --keep and work keep output"
    }
  }

  func run() {
    Exit.perform("log") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "log")
      let queue = try queue.location.open(diagnostics)
      let output = Output()
      var status = Exit.fine
      for text in id {
        let all = try EntryID(text).flatMap { (id) throws(Fault) in try queue.outputs(of: id) }
        let found = OutputText.chosen(all ?? [], attempt: attempt?.value, every: json)
        if found.isEmpty {
          diagnostics.unknown(text, all == nil ? nil : try missing(text, queue), in: queue.path)
          status = Exit.someFailed
        }
        for (items, attempt) in found {
          if json {
            OutputText.appendLine(text, items, attempt, to: output)
          } else {
            if !stderr { OutputText.append(attempt.stdout, to: output) }
            if !stdout { OutputText.append(attempt.stderr, to: output) }
            try output.flush()
            if !stdout, !stderr {
              diagnostics.say(OutputText.ending(text, items, attempt), .info, id: text)
            }
          }
        }
        try output.flush()
      }
      return status
    }
  }
}
