internal import PipeIO
internal import PipeEngine
internal import PipeTime
internal import PipeWork

struct Change: Command {
  static let about = About(
    "change", .control, "Change when waiting items are ready, or their priority.")

  @Group var queue: QueueOptions

  @Option("--priority", value: "priority", "The new priority: HIGH, MEDIUM or LOW.")
  var priority: LaneArgument?

  @Option("--delay", value: "duration", "Make the items ready after this delay.")
  var delay: SpanArgument?

  @Option("--at", value: "time", "Make the items ready only at this RFC 3339 time.")
  var at: TimeArgument?

  @Flag("--now", help: "Make the items ready now.")
  var now

  @Arguments("id", isRequired: true, "Entry ids.")
  var id: [String]

  func validate() throws(Mistake) {
    let times = [delay != nil, at != nil, now].count { $0 }
    if times > 1 { throw Mistake("--delay, --at and --now exclude each other") }
    if times == 0, priority == nil {
      throw Mistake("give --priority, --delay, --at or --now")
    }
  }

  private var actions: [ControlJob.Action] {
    var actions: [ControlJob.Action] = []
    if let priority { actions.append(.move(to: priority.priority)) }
    if let delay { actions.append(.reschedule(.after(delay.span))) }
    if let at { actions.append(.reschedule(.at(at.time))) }
    if now { actions.append(.reschedule(.now)) }
    return actions
  }

  func run() {
    Exit.perform("change") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "change")
      let queue = try queue.location.open(diagnostics)
      var last = ControlJob.Result()
      for action in actions {
        last = try ControlJob(queue, action, diagnostics).run(id, endsCommands: false)
        if last.missed > 0 { break }
      }
      return try last.report("changed")
    }
  }
}
