internal import PipeIntake
internal import PipeIO
internal import PipeEngine
internal import PipeRender
internal import PipeTime
internal import PipeWork

struct QueueOptions: OptionGroup {
  @Option("-q", "--queue", value: "dir", "The queue; default $PIPE_QUEUE, or the user's own.")
  var queue: String?

  @Flag("--force", help: "Use a queue on a network file system, where its promises do not hold.")
  var force

  // A script with an unset variable must not drain the user's own queue.
  func validate() throws(Mistake) {
    if queue == "" { throw Mistake("-q is empty; name a directory") }
  }

  var location: QueueLocation { QueueLocation(path: queue, force: force) }
}

/// Plain text as input.
struct TextOptions: OptionGroup {
  @Flag("--text", help: "Take each line as an item: any text, any bytes.")
  var text

  @Flag("-0", "--null", help: "With --text: items end with NUL instead of a newline.")
  var isNull

  func validate() throws(Mistake) {
    if isNull, !text { throw Mistake("-0 needs --text") }
  }

  /// nil: JSON.
  var end: TextItem.End? { text ? isNull ? .null : .newline : nil }
}

/// Plain text as output.
struct TextOutputOptions: OptionGroup {
  @Flag("--text", help: "Write strings as bare text, and other values as they are.")
  var text

  @Flag("-0", "--null", help: "With --text: end each item with NUL instead of a newline.")
  var isNull

  func validate() throws(Mistake) {
    if isNull, !text { throw Mistake("-0 needs --text") }
  }

  /// nil: JSON.
  var end: TextItem.End? { text ? isNull ? .null : .newline : nil }
}

/// When what is stored becomes ready.
struct ScheduleOptions: OptionGroup {
  @Option("--delay", value: "duration", "Make it ready after this delay.")
  var delay: SpanArgument?

  @Option("--at", value: "time", "Make it ready only at this RFC 3339 time.")
  var at: TimeArgument?

  func validate() throws(Mistake) {
    if delay != nil, at != nil { throw Mistake("--delay and --at exclude each other") }
  }

  var schedule: Schedule { delay.map { .after($0.span) } ?? at.map { .at($0.time) } ?? .own }
}

/// The pace and number of batches, and whether to wait for more.
struct DispatchOptions: OptionGroup {
  @Option(
    "--every", value: "duration", "Start batches at least this far apart, across all consumers.")
  var every: SpanArgument?

  @Option("-n", value: "batches", "Stop after this many batches.")
  var batches: Count?

  @Flag("--follow", help: "Wait for more instead of ending when nothing is ready.")
  var follow

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

struct ProgressOptions: OptionGroup {
  @Flag("--quiet", help: "Draw no progress line on the terminal.")
  var quiet

  /// Beside results on stdout; nil with --quiet.
  var line: ProgressLine? {
    quiet ? nil : ProgressLine(interval: .milliseconds(200), sharesOutput: true)
  }
}

struct TableOptions: OptionGroup {
  @Flag("--json", help: "Print lines of JSON on a terminal too, instead of a table.")
  var json
}
