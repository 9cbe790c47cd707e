internal import PipeIntake
internal import PipeIO
internal import PipeEngine
internal import PipeRender

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
