internal import ArgumentParser
internal import PipeIO
internal import PipeQueue

struct Ingest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest", abstract: "Validate JSON Lines and write them as entry lines.")

  @OptionGroup var queue: QueueOptions

  @Option(help: "The priority of records that name none: HIGH, MEDIUM or LOW.")
  var priority = PriorityArgument(argument: "MEDIUM")!

  @Flag(help: "Take every line for a record and do not look at its members.")
  var records = false

  @Option(help: ArgumentHelp("A member that each record must have.", valueName: "field:type"))
  var require: [Requirement] = []

  @Option(
    help: ArgumentHelp("Append rejected lines to a file as they came.", valueName: "file"),
    completion: .file())
  var reject: String?

  @Option(help: ArgumentHelp("Stop at the Nth rejected line.", valueName: "n"))
  var maxErrors: Count?

  @Option(help: ArgumentHelp("The longest line.", valueName: "size"))
  var maxRecordBytes = ByteSize(bytes: Intake.defaultLimit)

  @Argument(help: "JSON Lines; stdin if none.", completion: .file())
  var file: [String] = []

  func run() {
    let acceptance = Acceptance(
      recordsOnly: records, fallback: priority.priority, requirements: require)
    let job = IngestJob(
      queue: queue.location, acceptance: acceptance, reject: reject,
      maxErrors: maxErrors?.value ?? .max, limit: maxRecordBytes.bytes, files: file)
    Exit.perform("ingest", job.run)
  }
}

struct IngestJob {
  let queue: QueueLocation
  let acceptance: Acceptance
  let reject: String?
  let maxErrors: Int
  let limit: Int
  let files: [String]

  func run() throws(Fault) -> Int32 {
    let diagnostics = Diagnostics(command: "ingest")
    let sources = try Input.open(files)
    var filter = LineFilter(diagnostics, rejects: try RejectFile(reject))
    filter.limit = limit
    filter.maxErrors = maxErrors
    let output = Output()
    _ = enlargePipe(output.number)
    var acceptance = acceptance
    var mint = Mint()
    var now = Clock.now()
    var time = EntryLineWriter.quotedTime(now)
    for source in sources where filter.rejected < maxErrors {
      try filter.run(
        source,
        beforeReading: { (_) throws(Fault) in try output.flush() },
        accept: { (line) throws(Rejection) in
          let accepted = try acceptance.judge(line)
          if output.bytes.isEmpty {
            // Lines that were read together came together.
            now = Clock.now()
            time = EntryLineWriter.quotedTime(now)
          }
          EntryLineWriter.append(mint.id(at: now), accepted, line, time: time, to: &output.bytes)
        })
    }
    try output.flush()
    countRejected(filter.rejected)
    return filter.conclusion()
  }

  // A queue that is not there, or not ours to write to, counts nothing: ingest needs none.
  private func countRejected(_ rejected: Int) {
    guard rejected > 0, let path = try? queue.resolved() else { return }
    try? Queue(path: path, force: queue.force).count(.failedValidations, rejected)
  }
}
