internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeWork

/// The pace and number of batches, and whether to wait for more.
struct DispatchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Start batches at least this far apart, across all consumers.",
      valueName: "duration"))
  var every: Duration?

  @Option(
    name: .customShort("n", allowingJoined: true),
    help: ArgumentHelp("Stop after this many batches.", valueName: "batches"))
  var batches: Count?

  @Flag(help: "Wait for more instead of ending when nothing is ready.")
  var follow = false

  /// With --follow, creates a missing queue: a consumer that waits for more can wait for the first
  /// entry too.
  func open(_ location: QueueLocation, _ diagnostics: Diagnostics) throws(Fault) -> Queue {
    try follow ? location.create(diagnostics) : location.open(diagnostics)
  }

  func limits(size: Int?) -> Limits {
    Limits(
      size: size, batches: batches?.value ?? .max, follow: follow,
      every: every?.microseconds ?? 0)
  }
}
