internal import Glibc
internal import PipeIO
internal import PipeEngine
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
