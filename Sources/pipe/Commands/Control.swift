internal import Glibc
internal import PipeEngine
internal import PipeIO
internal import PipeRender
internal import PipeTime
internal import PipeWork

/// Which waiting items a command is about.
struct WaitingOptions: OptionGroup {
  @Option(
    "--priority", value: "priority",
    "Items of these priorities: HIGH, MEDIUM or LOW, with commas between them.")
  var priority: LanesArgument?

  @Option("--state", value: "state", "Items in this state: ready or later.")
  var state: WaitingState?

  @Option("--match", value: "field=value", "Items of records in which this member has this value.")
  var match: MatchArgument?

  @Flag("--all", help: "All waiting items.")
  var all

  @Flag("--yes", help: "Do not ask; needed without a terminal for more than one id.")
  var yes

  @Flag("--running", help: "If a command has an item, end it by SIGTERM first.")
  var running

  @Arguments("id", "Entry ids.")
  var id: [String]

  private var isSelection: Bool { priority != nil || state != nil || match != nil || all }

  func validate() throws(Mistake) {
    if id.isEmpty, !isSelection {
      throw Mistake("give ids, or --priority, --state, --match or --all")
    }
    if !id.isEmpty, isSelection {
      throw Mistake("ids exclude --priority, --state, --match and --all")
    }
    if running, id.isEmpty { throw Mistake("--running needs ids") }
    if id.count > 1, !yes, isatty(STDIN_FILENO) == 0 { throw WaitingOptions.unconfirmed }
  }

  private static var unconfirmed: Mistake {
    Mistake("more than one entry: confirm with --yes")
  }

  /// Runs the job and prints how many items it changed.
  func run(
    _ name: String, past: String, _ action: ControlJob.Action, _ location: QueueLocation
  ) {
    Exit.perform(name) { () throws(Fault) in
      let diagnostics = Diagnostics(command: name)
      let job = ControlJob(try location.open(diagnostics), action, diagnostics)
      let result: ControlJob.Result
      if id.isEmpty {
        let selection = WaitingSelection(
          lanes: priority?.lanes ?? Lane.allCases,
          states: state.map { [$0 == .ready ? .ready : .later] } ?? [.ready, .later],
          match: match?.match)
        if !yes {
          let found = try job.count(selection)
          if found.entries > 1 || isatty(STDIN_FILENO) != 0 {
            guard try confirm("\(name) \(found.items) items of \(found.entries) entries") else {
              return Exit.someFailed
            }
          }
        }
        result = try job.run(selection)
      } else {
        if !yes, id.count > 1 || isatty(STDIN_FILENO) != 0,
          try !confirm("\(name) \(id.count == 1 ? id[0] : "\(id.count) entries")")
        {
          return Exit.someFailed
        }
        result = try job.run(id, endsCommands: running)
      }
      return try result.report(past)
    }
  }

  private func confirm(_ what: String) throws(Fault) -> Bool {
    guard isatty(STDIN_FILENO) != 0 else {
      throw Fault(.usage, "\(what): confirm with --yes")
    }
    complain("\(what)? [y/N] ", newline: false)
    return readLine()?.lowercased().hasPrefix("y") ?? false
  }
}

extension ControlJob.Result {
  /// Prints the counts; `past` names the member of the items. Returns the exit status.
  func report(_ past: String) throws(Fault) -> Int32 {
    let output = Output()
    output.append("{\"\(past)\":\(items),\"entries\":\(entries)}\n")
    try output.flush()
    return missed > 0 ? Exit.someFailed : Exit.fine
  }
}

enum WaitingState: String, OptionValue, CaseIterable { case ready, later }

struct MatchArgument: OptionValue {
  static let form: String? = "a member and its value: kind=mail"

  let match: WaitingSelection.Match

  init?(argument: String) {
    guard let match = WaitingSelection.Match(argument) else { return nil }
    self.match = match
  }
}

struct Cancel: Command {
  static let about = About("cancel", .control, "Turn waiting items into dead letters.")

  @Group var queue: QueueOptions
  @Group var waiting: WaitingOptions

  func run() { waiting.run("cancel", past: "cancelled", .cancel, queue.location) }
}

struct Purge: Command {
  static let about = About("purge", .control, "Remove waiting items, and leave no dead letters.")

  @Group var queue: QueueOptions
  @Group var waiting: WaitingOptions

  func run() { waiting.run("purge", past: "purged", .purge, queue.location) }
}

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

struct Pause: Command {
  static let about = About("pause", .control, "Let consumers take nothing new until pipe resume.")

  @Group var queue: QueueOptions

  @Option("--for", value: "duration", "End the pause after this time.")
  var span: SpanArgument?

  @Option("--reason", value: "text", "Why, for explain, stats and the dashboard.")
  var reason: String?

  func validate() throws(Mistake) {
    if span?.span == .zero { throw Mistake("--for must be positive") }
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

struct Resume: Command {
  static let about = About("resume", .control, "End a pause: consumers go on.")

  @Group var queue: QueueOptions

  func run() {
    Exit.perform("resume") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "resume")
      let queue = try queue.location.open(diagnostics)
      if try !queue.resume() { diagnostics.say("\(printable(queue.path)): was not paused") }
      return Exit.fine
    }
  }
}
