internal import ArgumentParser
internal import PipeIntake
internal import PipeIO
internal import PipeTime

struct Enqueue: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enqueue", abstract: "Store entry lines durably and print their receipts.")

  @OptionGroup var queue: QueueOptions

  @Flag(help: "Read plain JSON Lines and validate them as pipe ingest does.")
  var raw = false

  @OptionGroup var text: TextOptions

  @Option(
    help: ArgumentHelp(
      "Drop duplicates of entries stored within this time; answer with the earlier id.",
      valueName: "duration"))
  var dedup: SpanArgument?

  @OptionGroup var time: ScheduleOptions

  @Flag(help: "Print no receipts.")
  var quiet = false

  @Option(help: ArgumentHelp("Wait this long for room in a full queue.", valueName: "duration"))
  var wait: SpanArgument?

  @Option(help: ArgumentHelp("The longest record accepted.", valueName: "size"))
  var maxRecordBytes = ByteSize(bytes: LineLoop.defaultLimit)

  func validate() throws {
    if raw, text.text { throw ValidationError("--raw and --text exclude each other") }
  }

  func run() {
    let job = EnqueueJob(
      queue: queue.location, raw: raw, text: text.end, quiet: quiet, wait: wait?.span ?? .zero,
      limit: maxRecordBytes.bytes, dedup: dedup?.span ?? .zero, schedule: time.schedule)
    Exit.perform("enqueue", job.run)
  }
}
