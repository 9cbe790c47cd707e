internal import ArgumentParser
internal import PipeIntake
internal import PipeIO
internal import PipeJSON
internal import PipeQueue

struct Ingest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest", abstract: "Validate JSON Lines and write them as entry lines.")

  @OptionGroup var queue: QueueOptions

  @Option(help: "The priority of records without one: HIGH, MEDIUM or LOW.")
  var priority = LaneArgument(.medium)

  @Flag(help: "Treat every line as a record, whatever its members.")
  var records = false

  @OptionGroup var text: TextOptions

  @Option(
    help: ArgumentHelp(
      "A member that each record must have, and its type: "
        + FieldType.allCases.map(\.rawValue).joined(separator: " ") + "; may be repeated.",
      valueName: "field:type"))
  var require: [Requirement] = []

  @Option(
    help: ArgumentHelp("Append rejected lines to this file, unchanged.", valueName: "file"),
    completion: .file())
  var reject: String?

  @Option(help: ArgumentHelp("Stop after this many rejected lines.", valueName: "n"))
  var maxErrors: Count?

  @Option(help: ArgumentHelp("The longest line accepted.", valueName: "size"))
  var maxRecordBytes = ByteSize(bytes: LineLoop.defaultLimit)

  @OptionGroup var progress: ProgressOptions

  @Argument(help: "Files of JSON Lines; stdin if none.", completion: .file())
  var file: [String] = []

  func validate() throws {
    if text.text, !require.isEmpty || records {
      throw ValidationError(
        "--text takes lines that have no members: leave out --require and --records")
    }
  }

  func run() {
    let validator = RecordValidator(
      recordsOnly: records, fallback: priority.priority, requirements: require)
    let job = IngestJob(
      queue: queue.location, validator: validator, reject: reject,
      maxErrors: maxErrors?.value ?? .max, limit: maxRecordBytes.bytes, text: text.end,
      quiet: progress.quiet, files: file)
    Exit.perform("ingest", job.run)
  }
}

extension Requirement: ExpressibleByArgument {}
