internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeTime
internal import PipeWork

struct Work: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "work", abstract: "Run the commands that pipe submit stored.")

  @OptionGroup var queue: QueueOptions

  @Option(
    name: .customShort("j", allowingJoined: true),
    help: ArgumentHelp("Commands to run at once; 1 by default.", valueName: "jobs"))
  var jobs: Count?

  @Flag(help: "Wait for more instead of ending when nothing is ready.")
  var follow = false

  @Flag(help: "End once every command is done or dead; wait for retries until then.")
  var untilDone = false

  @Option(help: ArgumentHelp("End a command that runs longer than this.", valueName: "duration"))
  var timeout: SpanArgument?

  @OptionGroup var progress: ProgressOptions

  func validate() throws {
    if follow, untilDone { throw ValidationError("--follow and --until-done exclude each other") }
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
