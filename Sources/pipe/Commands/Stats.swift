internal import PipeEngine
internal import PipeIO
internal import PipeJSON
internal import PipeMeasure
internal import PipeStats
internal import PipeTime

struct Stats: Command {
  static let about = About(
    "stats", .look, "Report how full a queue is, how fast, and how long items take.")

  @Group var queue: QueueOptions

  @Flag("--json", help: "Print one line of JSON instead of a table.")
  var json

  @Flag("--prometheus", help: "Print metrics in the Prometheus text format.")
  var prometheus

  @Option(
    "--label", value: "name", "With --prometheus: give each metric the label queue with this value."
  )
  var label: String?

  @Flag("--hgrm", help: "Print percentiles for HdrHistogram plotters, in milliseconds.")
  var hgrm

  @Flag("--plot", help: "Draw a picture: how long items take, and the last hour's throughput.")
  var plot

  @Option("--svg", value: "file", "Write the picture to this file as SVG.")
  var svg: String?

  @Flag(
    "--model",
    help: "Print what queueing theory predicts from the measured rates, and what was measured.")
  var model

  @Option(
    "--compare", value: "a b", several: true,
    "Compare the service times of two tags, or of two queues (with a / in their names).")
  var compare: [String]

  @Option("--by", value: "tag", "Print one line per tag of consume --tag.")
  var by: Grouping?

  @Flag("--chart", help: "Print a control chart of the last minutes.")
  var chart

  @Option(
    "--of", value: "stage",
    "The stage that --hgrm, --plot and --svg show: wait, service or total, the default.")
  var of: Stage?

  @Option("-n", value: "n", "Minutes in the chart: 60 by default, 120 at most.")
  var count: Count?

  @Option("--since", value: "duration", "Only this recent period (10m 2h 7d).")
  var since: SpanArgument?

  @Option("--watch", value: "duration", "Repeat at this interval.")
  var watch: SpanArgument?

  @Flag("--all", help: "Print the whole report, even if the terminal is too small for it.")
  var all

  @Option("--output", value: "file", "Write to this file, replacing it as a whole.")
  var output: String?

  @Option(
    "--field", value: "name",
    "Print the percentiles of this member of JSON Lines on stdin; "
      + "dots reach into objects, \\. is a dot in a name.")
  var field: String?

  func validate() throws(Mistake) {
    let forms = [prometheus, hgrm, plot, svg != nil, model, !compare.isEmpty, by != nil, chart]
    if forms.count(where: { $0 }) + (field == nil ? 0 : 1) > 1 {
      throw Mistake(
        "give only one of --prometheus, --hgrm, --plot, --svg, --model, --compare, --by, --chart"
          + " and --field")
    }
    if json, prometheus || hgrm || plot || svg != nil {
      throw Mistake("--json excludes --prometheus, --hgrm, --plot and --svg")
    }
    if !compare.isEmpty, compare.count != 2 {
      throw Mistake("--compare takes two tags or two queues")
    }
    try requireText(field, "--field")
    if let field, FieldPath(field) == nil {
      throw Mistake("--field takes member names separated by dots")
    }
    if field != nil, since != nil || watch != nil || output != nil || queue.queue != nil {
      throw Mistake(
        "--field reads stdin once, and no queue: leave out -q, --since, --watch and --output")
    }
    if since != nil, prometheus || chart {
      throw Mistake(
        "--since excludes --prometheus, which covers all time, and --chart, which takes -n")
    }
    if all, json || forms.contains(true) || field != nil {
      throw Mistake("--all is for the report alone; the other forms are always whole")
    }
    if since?.span == .zero { throw Mistake("--since must be positive") }
    if svg != nil, output != nil {
      throw Mistake("--svg names its file: leave out --output")
    }
    if output == "" { throw Mistake("--output is empty; name a file") }
    if svg == "" { throw Mistake("--svg is empty; name a file") }
    if svg == "-" { throw Mistake("--svg - is not a file; name one") }
    if output == "-" { throw Mistake("- is not a file: leave out --output") }
    try validateSubject()
  }

  private func validateSubject() throws(Mistake) {
    if of != nil, !(hgrm || plot || svg != nil) {
      throw Mistake("--of needs --hgrm, --plot or --svg")
    }
    if count != nil, !chart { throw Mistake("-n needs --chart") }
    if label != nil, !prometheus { throw Mistake("--label needs --prometheus") }
    if label == "" { throw Mistake("--label is empty; name the queue") }
    try requireText(label, "--label")
    if let count, count.value > 120 {
      throw Mistake("-n is 120 at most: older minutes are not kept separately")
    }
    if let watch, watch.span < .milliseconds(100) {
      throw Mistake("--watch must be 100ms or more")
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

enum Grouping: String, OptionValue, CaseIterable { case tag }

extension Stage: OptionValue {}

struct Top: Command {
  static let about = About(
    "top", .look, "Watch queues on the terminal: how full, how fast, what runs.")

  @Group var queue: QueueOptions

  @Option("--every", value: "duration", "Redraw at this interval: 2s by default.")
  var every: SpanArgument?

  private var interval: TimeSpan { every?.span ?? .seconds(2) }

  @Arguments("directory", "More queues.")
  var directory: [String]

  func validate() throws(Mistake) {
    if interval < .milliseconds(100) { throw Mistake("--every must be 100ms or more") }
    if directory.contains("") { throw Mistake("the queue is empty; name a directory") }
  }

  func run() {
    let named = directory.map { QueueLocation(path: $0, force: queue.force) }
    let own = named.isEmpty || queue.queue != nil ? [queue.location] : []
    Exit.perform("top", TopJob(queues: own + named, every: interval).run)
  }
}
