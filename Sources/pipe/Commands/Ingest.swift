internal import PipeIntake
internal import PipeIO
internal import PipeJSON
internal import PipeEngine

struct Ingest: Command {
  static let about = About("ingest", .putIn, "Validate JSON Lines and write them as entry lines.")

  @Group var queue: QueueOptions

  @Option(
    "--priority", value: "priority",
    "The priority of records without one: HIGH, MEDIUM (the default) or LOW.")
  var priority = LaneArgument(.medium)

  @Flag("--records", help: "Treat every line as a record, whatever its members.")
  var records

  @Group var text: TextOptions

  @Option(
    "--require", value: "field:type",
    "A member that each record must have, and its type: "
      + FieldType.allCases.map(\.rawValue).joined(separator: " ") + "; may be repeated.")
  var require: [Requirement]

  @Option("--reject", value: "file", "Append rejected lines to this file, unchanged.")
  var reject: String?

  @Option("--max-errors", value: "n", "Stop after this many rejected lines.")
  var maxErrors: Count?

  @Option("--max-record-bytes", value: "size", "The longest line accepted; 1MiB by default.")
  var maxRecordBytes = ByteSize(bytes: LineLoop.defaultLimit)

  @Group var progress: ProgressOptions

  @Arguments("file", "Files of JSON Lines; stdin if none.")
  var file: [String]

  func validate() throws(Mistake) {
    if text.text, !require.isEmpty || records {
      throw Mistake(
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

extension Requirement: OptionValue {
  static var form: String? { "a member and its type: data.sensor:string" }
}
