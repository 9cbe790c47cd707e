internal import PipeIO
internal import PipeEngine
internal import PipeTime
internal import PipeWork

struct Work: Command {
  static let about = About("work", .takeOut, "Run the commands that pipe submit stored.")

  @Group var queue: QueueOptions

  @Option("-j", value: "jobs", "Commands to run at once; 1 by default.")
  var jobs: Count?

  @Flag("--follow", help: "Wait for more instead of ending when nothing is ready.")
  var follow

  @Flag(
    "--until-done", help: "End once every command is done or dead; wait for retries until then.")
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
