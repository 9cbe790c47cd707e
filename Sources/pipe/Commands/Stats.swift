internal import ArgumentParser
internal import PipeIO
internal import PipeJSON
internal import PipeMeasure
internal import PipeStats
internal import PipeTime

struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Report how full a queue is, how fast, and how long items take.")

  @OptionGroup var queue: QueueOptions

  @Flag(help: "Print one line of JSON instead of a table.")
  var json = false

  @Flag(help: "Print metrics in the Prometheus text format.")
  var prometheus = false

  @Option(
    help: ArgumentHelp(
      "With --prometheus: give each metric the label queue with this value.", valueName: "name"))
  var label: String?

  @Flag(help: "Print percentiles for HdrHistogram plotters, in milliseconds.")
  var hgrm = false

  @Flag(help: "Draw a picture: how long items take, and the last hour's throughput.")
  var plot = false

  @Option(help: ArgumentHelp("Write the picture to this file as SVG.", valueName: "file"))
  var svg: String?

  @Flag(help: "Print what queueing theory predicts from the measured rates, and what was measured.")
  var model = false

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Compare the service times of two tags, or of two queues (with a / in their names).",
      valueName: "a b"))
  var compare: [String] = []

  @Option(help: ArgumentHelp("Print one line per tag of consume --tag.", valueName: "tag"))
  var by: Grouping?

  @Flag(help: "Print a control chart of the last minutes.")
  var chart = false

  @Option(
    help: ArgumentHelp(
      "The stage that --hgrm, --plot and --svg show: wait, service or total, the default.",
      valueName: "stage"))
  var of: Stage?

  @Option(
    name: .customShort("n", allowingJoined: true),
    help: ArgumentHelp("Minutes in the chart: 60 by default, 120 at most.", valueName: "n"))
  var count: Count?

  @Option(help: ArgumentHelp("Only this recent period (10m 2h 7d).", valueName: "duration"))
  var since: SpanArgument?

  @Option(help: ArgumentHelp("Repeat at this interval.", valueName: "duration"))
  var watch: SpanArgument?

  @Flag(help: "Print the whole report, even if the terminal is too small for it.")
  var all = false

  @Option(help: ArgumentHelp("Write to this file, replacing it as a whole.", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Print the percentiles of this member of JSON Lines on stdin; "
        + "dots reach into objects, \\. is a dot in a name.",
      valueName: "name"))
  var field: String?

  func validate() throws {
    let forms = [prometheus, hgrm, plot, svg != nil, model, !compare.isEmpty, by != nil, chart]
    if forms.count(where: { $0 }) + (field == nil ? 0 : 1) > 1 {
      throw ValidationError(
        "give only one of --prometheus, --hgrm, --plot, --svg, --model, --compare, --by, --chart"
          + " and --field")
    }
    if json, prometheus || hgrm || plot || svg != nil {
      throw ValidationError("--json excludes --prometheus, --hgrm, --plot and --svg")
    }
    if !compare.isEmpty, compare.count != 2 {
      throw ValidationError("--compare takes two tags or two queues")
    }
    try requireText(field, "--field")
    if let field, FieldPath(field) == nil {
      throw ValidationError("--field takes member names separated by dots")
    }
    if field != nil, since != nil || watch != nil || output != nil || queue.queue != nil {
      throw ValidationError(
        "--field reads stdin once, and no queue: leave out -q, --since, --watch and --output")
    }
    if since != nil, prometheus || chart {
      throw ValidationError(
        "--since excludes --prometheus, which covers all time, and --chart, which takes -n")
    }
    if all, json || forms.contains(true) || field != nil {
      throw ValidationError("--all is for the report alone; the other forms are always whole")
    }
    if since?.span == .zero { throw ValidationError("--since must be positive") }
    if svg != nil, output != nil {
      throw ValidationError("--svg names its file: leave out --output")
    }
    if output == "" { throw ValidationError("--output is empty; name a file") }
    if svg == "" { throw ValidationError("--svg is empty; name a file") }
    if svg == "-" || output == "-" { throw ValidationError("- is not a file: leave out --output") }
    try validateSubject()
  }

  private func validateSubject() throws {
    if of != nil, !(hgrm || plot || svg != nil) {
      throw ValidationError("--of needs --hgrm, --plot or --svg")
    }
    if count != nil, !chart { throw ValidationError("-n needs --chart") }
    if label != nil, !prometheus { throw ValidationError("--label needs --prometheus") }
    if label == "" { throw ValidationError("--label is empty; name the queue") }
    try requireText(label, "--label")
    if let count, count.value > 120 {
      throw ValidationError("-n is 120 at most: older minutes are not kept separately")
    }
    if let watch, watch.span < .milliseconds(100) {
      throw ValidationError("--watch must be 100ms or more")
    }
  }

  private var form: StatsForm {
    if prometheus { return .prometheus(queue: label) }
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
        location: queue.location, form: form, since: since?.span,
        every: watch?.span, file: svg ?? output, isWhole: all
      ).run()
    }
  }
}

enum Grouping: String, ExpressibleByArgument, CaseIterable { case tag }

extension Stage: ExpressibleByArgument {}
