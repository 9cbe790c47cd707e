internal import PipeIntake
internal import PipeIO
internal import PipeTime

struct Enqueue: Command {
  static let about = About("enqueue", .putIn, "Store entry lines durably and print their receipts.")

  @Group var queue: QueueOptions

  @Flag("--raw", help: "Read plain JSON Lines and validate them as pipe ingest does.")
  var raw

  @Group var text: TextOptions

  @Option(
    "--dedup", value: "duration",
    "Drop duplicates of entries stored within this time; answer with the earlier id.")
  var dedup: SpanArgument?

  @Group var time: ScheduleOptions

  @Flag("--quiet", help: "Print no receipts.")
  var quiet

  @Option("--wait", value: "duration", "Wait this long for room in a full queue.")
  var wait: SpanArgument?

  @Option("--max-record-bytes", value: "size", "The longest record accepted; 1MiB by default.")
  var maxRecordBytes = ByteSize(bytes: LineLoop.defaultLimit)

  func validate() throws(Mistake) {
    if raw, text.text { throw Mistake("--raw and --text exclude each other") }
  }

  func run() {
    let job = EnqueueJob(
      queue: queue.location, raw: raw, text: text.end, quiet: quiet, wait: wait?.span ?? .zero,
      limit: maxRecordBytes.bytes, dedup: dedup?.span ?? .zero, schedule: time.schedule)
    Exit.perform("enqueue", job.run)
  }
}
