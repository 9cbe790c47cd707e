internal import PipeMeasure
internal import ArgumentParser
internal import PipeIO
internal import PipeJSON
internal import PipeStats

struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Tell how full a queue is, how fast, and how long items take.")

  @OptionGroup var queue: QueueOptions

  @Flag(help: "One line of JSON instead of a table.")
  var json = false

  @Flag(help: "Metrics in the text format of Prometheus.")
  var prometheus = false

  @Flag(help: "The percentiles that HdrHistogram's plotters read, in milliseconds.")
  var hgrm = false

  @Flag(help: "A picture: how long items take, and the last hour's throughput.")
  var plot = false

  @Option(help: ArgumentHelp("Write the picture to this file as SVG.", valueName: "file"))
  var svg: String?

  @Flag(help: "What queueing theory predicts from the measured rates, beside what was observed.")
  var model = false

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Compare the service times of two tags, or of two queues (with a / in their names).",
      valueName: "a b"))
  var compare: [String] = []

  @Option(help: ArgumentHelp("A line for each tag of consume --tag.", valueName: "tag"))
  var by: Grouping?

  @Flag(help: "A control chart of the last minutes.")
  var chart = false

  @Option(
    help: ArgumentHelp(
      "What --hgrm, --plot and --svg show: wait, service or total, which is the default.",
      valueName: "stage"))
  var of: Stage?

  @Option(
    name: .customShort("n", allowingJoined: true),
    help: ArgumentHelp("Minutes of the chart: 60 by default, 120 at most.", valueName: "n"))
  var count: Count?

  @Option(help: ArgumentHelp("Only the last while (10m 2h 7d).", valueName: "duration"))
  var since: Duration?

  @Option(help: ArgumentHelp("Again and again, with this time between.", valueName: "duration"))
  var watch: Duration?

  @Option(help: ArgumentHelp("Write to this file, replaced as a whole.", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Of JSON Lines on stdin, the percentiles of this member; dots reach into objects, \\. is one in a name.",
      valueName: "name"))
  var field: String?

  func validate() throws {
    let forms = [prometheus, hgrm, plot, svg != nil, model, !compare.isEmpty, by != nil, chart]
    if forms.count(where: { $0 }) + (field == nil ? 0 : 1) > 1 {
      throw ValidationError("one form at a time: leave out all but one")
    }
    if json, prometheus || hgrm || plot || svg != nil {
      throw ValidationError("--json is a form of its own")
    }
    if !compare.isEmpty, compare.count != 2 {
      throw ValidationError("--compare takes two tags or two queues")
    }
    try requireText(field, "--field")
    if let field, FieldPath(field) == nil {
      throw ValidationError("--field takes names with dots between them")
    }
    if field != nil, since != nil || watch != nil || output != nil || queue.queue != nil {
      throw ValidationError(
        "--field reads stdin once, and no queue: it goes without -q, --since, --watch and --output")
    }
    if since != nil, prometheus || chart {
      throw ValidationError(
        "--since is not for --prometheus, which is of all time, nor for --chart")
    }
    if since?.microseconds == 0 { throw ValidationError("--since takes more than nothing") }
    if svg != nil, output != nil {
      throw ValidationError("--svg names its file: leave out --output")
    }
    if output == "" { throw ValidationError("--output is empty; name a file") }
    if svg == "" { throw ValidationError("--svg is empty; name a file") }
    if svg == "-" || output == "-" { throw ValidationError("- is no file: leave out --output") }
    try validateSubject()
  }

  private func validateSubject() throws {
    if of != nil, !(hgrm || plot || svg != nil) {
      throw ValidationError("--of is for --hgrm, --plot and --svg")
    }
    if count != nil, !chart { throw ValidationError("-n is for --chart") }
    if let count, count.value > 120 {
      throw ValidationError("-n is 120 at most: older minutes are not kept apart")
    }
    if let watch, watch.microseconds < 100_000 {
      throw ValidationError("--watch takes 100ms or more")
    }
  }

  private var form: StatsForm {
    if prometheus { return .prometheus }
    if hgrm { return .percentiles(of ?? .total) }
    if plot || svg != nil { return .picture(of ?? .total, isSVG: svg != nil) }
    if model { return .model(json: json) }
    if compare.count == 2 { return .comparison(compare[0], compare[1], json: json) }
    if by != nil { return .tags(json: json) }
    if chart { return .chart(minutes: count?.value ?? 60, json: json) }
    return .report(json: json)
  }

  func run() {
    Exit.perform("stats") { () throws(Fault) in
      if let field, let path = FieldPath(field) {
        return try FieldJob(name: field, path: path, json: json).run()
      }
      return try StatsJob(
        location: queue.location, form: form, since: since?.microseconds,
        every: watch?.microseconds, file: svg ?? output
      ).run()
    }
  }
}

enum Grouping: String, ExpressibleByArgument, CaseIterable { case tag }

extension Stage: ExpressibleByArgument {}
