internal import ArgumentParser
internal import PipeIntake
internal import PipeIO
internal import PipeQueue
internal import PipeRender

struct Submit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit", abstract: "Store a command that pipe work runs later, and print its id.")

  @OptionGroup var queue: QueueOptions

  @Option(help: "The priority of the command: HIGH, MEDIUM or LOW.")
  var priority = LaneArgument(.medium)

  @OptionGroup var time: ScheduleOptions

  @Option(
    help: ArgumentHelp(
      "A variable of the environment to store, or NAME=value; PATH is always stored; may be repeated.",
      valueName: "name"))
  var env: [String] = []

  @Argument(
    parsing: .captureForPassthrough,
    help: "The command, run without a shell in this directory; -- may precede it.")
  var command: [String] = []

  private var words: [String] { Array(command.first == "--" ? command.dropFirst() : command[...]) }

  func validate() throws {
    if let first = command.first, first.hasPrefix("-"), first != "--" {
      if ["-h", "--help"].contains(first) { throw CleanExit.helpRequest(self) }
      if first == "--version" { throw CleanExit.message(programVersion) }
      throw ValidationError("Unknown option '\(first)'")
    }
    if words.first?.isEmpty ?? true {
      throw ValidationError("give a command: pipe submit CMD")
    }
  }

  func run() {
    Exit.perform("submit") { () throws(Fault) in
      return try SubmitJob(
        queue: queue.location, priority: priority.priority, schedule: time.schedule,
        job: try Job.here(words.map(\.systemBytes), variables: env)
      ).run()
    }
  }
}
