internal import ArgumentParser
internal import PipeIO
internal import PipeQueue

struct QueueOptions: ParsableArguments {
  @Option(
    name: [.customShort("q"), .long],
    help: ArgumentHelp("The queue; default $PIPE_QUEUE, or the user's own.", valueName: "dir"))
  var queue: String?

  @Flag(help: "Use a queue on a network file system, where its promises do not hold.")
  var force = false

  // A script with an unset variable must not drain the user's own queue.
  func validate() throws {
    if queue == "" { throw ValidationError("-q is empty; name a directory") }
  }

  var location: QueueLocation { QueueLocation(path: queue, force: force) }
}
