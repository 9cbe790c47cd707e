internal import ArgumentParser
internal import PipeIntake
internal import PipeIO

struct Enqueue: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enqueue", abstract: "Store entry lines durably and print their receipts.")

  @OptionGroup var queue: QueueOptions

  @Flag(help: "Read plain JSON Lines and validate them as pipe ingest does.")
  var raw = false

  @Option(
    help: ArgumentHelp(
      "Drop duplicates of entries stored within this time; answer with the earlier id.",
      valueName: "duration"))
  var dedup: Duration?

  @Option(help: ArgumentHelp("Make the entries ready after this delay.", valueName: "duration"))
  var delay: Duration?

  @Option(
    help: ArgumentHelp("Make the entries ready only at this RFC 3339 time.", valueName: "time"),
    transform: instant)
  var at: Int64?

  @Flag(help: "Print no receipts.")
  var quiet = false

  @Option(help: ArgumentHelp("Wait this long for room in a full queue.", valueName: "duration"))
  var wait: Duration?

  @Option(help: ArgumentHelp("The longest record accepted.", valueName: "size"))
  var maxRecordBytes = ByteSize(bytes: LineLoop.defaultLimit)

  func validate() throws {
    if delay != nil, at != nil { throw ValidationError("--delay and --at exclude each other") }
  }

  private var schedule: Schedule {
    if let delay { return .after(delay.microseconds) }
    return at.map(Schedule.at) ?? .own
  }

  func run() {
    let job = EnqueueJob(
      queue: queue.location, raw: raw, quiet: quiet, wait: wait?.microseconds ?? 0,
      limit: maxRecordBytes.bytes, dedup: dedup?.microseconds ?? 0, schedule: schedule)
    Exit.perform("enqueue", job.run)
  }
}
