internal import ArgumentParser

struct Enqueue: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enqueue", abstract: "Store entry lines durably and print their receipts.")

  @OptionGroup var queue: QueueOptions

  @Flag(help: "Read plain JSON Lines, doing the work of ingest too.")
  var raw = false

  @Flag(help: "Print no receipts.")
  var quiet = false

  @Option(help: ArgumentHelp("Wait this long for room in a full queue.", valueName: "duration"))
  var wait: Duration?

  @Option(help: ArgumentHelp("The longest record.", valueName: "size"))
  var maxRecordBytes = ByteSize(bytes: LineFilter.defaultLimit)

  func run() {
    let job = EnqueueJob(
      queue: queue.location, raw: raw, quiet: quiet, wait: wait?.microseconds ?? 0,
      limit: maxRecordBytes.bytes)
    Exit.perform("enqueue", job.run)
  }
}
