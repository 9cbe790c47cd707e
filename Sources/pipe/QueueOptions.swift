internal import ArgumentParser
internal import PipeIO
internal import PipeQueue

struct QueueOptions: ParsableArguments {
  @Option(
    name: [.customShort("q"), .long],
    help: ArgumentHelp("The queue; else $PIPE_QUEUE, else the user's own.", valueName: "dir"))
  var queue: String?

  @Flag(help: "Use a queue on a network file system, whose promises are not kept there.")
  var force = false

  // A script whose variable is unset must not drain the user's own queue.
  func validate() throws {
    if queue == "" { throw ValidationError("-q is empty; name a directory") }
  }

  var location: QueueLocation { QueueLocation(path: queue, force: force) }
}

/// Which queue, before it is opened.
struct QueueLocation {
  var path: String?
  var force = false

  /// Without needless slashes: its parent is found by its text.
  func resolved() throws(Fault) -> String {
    let path = try chosen()
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }

  private func chosen() throws(Fault) -> String {
    if let path { return path }
    if let path = variable("PIPE_QUEUE") { return path }
    if let state = variable("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/pipe/queue" }
    if let home = variable("HOME") { return home + "/.local/state/pipe/queue" }
    throw Fault(.settings, "which queue? Give -q DIR, or set PIPE_QUEUE or HOME")
  }

  func open(_ diagnostics: Diagnostics) throws(Fault) -> Queue {
    try open(report: diagnostics.say)
  }

  func open(report: @escaping (String) -> Void) throws(Fault) -> Queue {
    try Queue(path: try resolved(), force: force, report: report)
  }

  func create(_ diagnostics: Diagnostics) throws(Fault) -> Queue {
    try create(report: diagnostics.say)
  }

  func create(report: @escaping (String) -> Void) throws(Fault) -> Queue {
    try Queue.create(path: try resolved(), force: force, report: report)
  }
}
