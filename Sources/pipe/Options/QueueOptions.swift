internal import ArgumentParser
internal import PipeIntake
internal import PipeIO
internal import PipeQueue
internal import PipeRender
internal import PipeTime
internal import PipeWork

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

/// Plain text as input.
struct TextOptions: ParsableArguments {
  @Flag(help: "Take each line as an item: any text, any bytes.")
  var text = false

  @Flag(
    name: [.customShort("0"), .customLong("null")],
    help: "With --text: items end with NUL instead of a newline.")
  var isNull = false

  func validate() throws {
    if isNull, !text { throw ValidationError("-0 needs --text") }
  }

  /// nil: JSON.
  var end: TextItem.End? { text ? isNull ? .null : .newline : nil }
}

/// Plain text as output.
struct TextOutputOptions: ParsableArguments {
  @Flag(help: "Write strings as bare text, and other values as they are.")
  var text = false

  @Flag(
    name: [.customShort("0"), .customLong("null")],
    help: "With --text: end each item with NUL instead of a newline.")
  var isNull = false

  func validate() throws {
    if isNull, !text { throw ValidationError("-0 needs --text") }
  }

  /// nil: JSON.
  var end: TextItem.End? { text ? isNull ? .null : .newline : nil }
}

/// When what is stored becomes ready.
struct ScheduleOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Make it ready after this delay.", valueName: "duration"))
  var delay: SpanArgument?

  @Option(
    help: ArgumentHelp("Make it ready only at this RFC 3339 time.", valueName: "time"),
    transform: instant)
  var at: Instant?

  func validate() throws {
    if delay != nil, at != nil { throw ValidationError("--delay and --at exclude each other") }
  }

  var schedule: Schedule { delay.map { .after($0.span) } ?? at.map(Schedule.at) ?? .own }
}

/// The pace and number of batches, and whether to wait for more.
struct DispatchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Start batches at least this far apart, across all consumers.",
      valueName: "duration"))
  var every: SpanArgument?

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

  func limits(size: Int?, untilDone: Bool = false) -> Limits {
    Limits(
      size: size, batches: batches?.value ?? .max, follow: follow,
      every: every?.span ?? .zero, untilDone: untilDone)
  }
}

struct ProgressOptions: ParsableArguments {
  @Flag(help: "Draw no progress line on the terminal.")
  var quiet = false
}

struct TableOptions: ParsableArguments {
  @Flag(help: "Print lines of JSON on a terminal too, instead of a table.")
  var json = false
}
