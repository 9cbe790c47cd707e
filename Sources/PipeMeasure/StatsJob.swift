internal import Glibc
package import PipeEngine
internal import PipeIntake
package import PipeIO
package import PipeJSON
internal import PipeRender
package import PipeStats
internal import PipeText
package import PipeTime

/// The forms in which `pipe stats` shows a queue.
package enum StatsForm {
  case report(json: Bool)
  /// `queue`: the value of the label `queue`; nil: no such label.
  case prometheus(queue: String?)
  case percentiles(Stage)
  case picture(Stage, isSVG: Bool)
  case model(json: Bool)
  case comparison(String, String, json: Bool)
  case tags(json: Bool)
  case chart(minutes: Int, json: Bool)

  /// Whether its lines are to be read on a terminal, and may be cut there.
  var isForPeople: Bool {
    switch self {
    case .prometheus, .percentiles: false
    case .picture(_, let isSVG): !isSVG
    case .report(let json), .model(let json), .comparison(_, _, let json), .tags(let json),
      .chart(_, let json):
      !json
    }
  }
}

/// `pipe stats` of a queue, after its options are parsed.
package struct StatsJob {
  let location: QueueLocation
  let form: StatsForm
  /// nil: the whole retention period.
  let since: TimeSpan?
  /// Time between outputs; nil: one output.
  let every: TimeSpan?
  /// nil: stdout.
  let file: String?
  /// Whether a report may be longer than the terminal.
  let isWhole: Bool

  package init(
    location: QueueLocation, form: StatsForm, since: TimeSpan?, every: TimeSpan?, file: String?,
    isWhole: Bool
  ) {
    self.isWhole = isWhole
    self.location = location
    self.form = form
    self.since = since
    self.every = every
    self.file = file
  }

  package func run() throws(Fault) -> Int32 {
    let queue = try location.open(report: OncePerMessage(Diagnostics(command: "stats").say).say)
    guard let every else {
      // The last row is for the prompt.
      try write(try text(queue, rows: fittingRows.map { $0 - 1 }))
      return Exit.fine
    }
    if file == nil, form.isForPeople, let screen = try LiveScreen() {
      try screen.run(every: every) { (size) throws(Fault) in
        let text = try text(queue, rows: isWhole ? nil : size.rows - 1)
        return [clockLine(every, size)]
          + text.split(separator: "\n", omittingEmptySubsequences: false)
          .dropLast().map { String($0).cut(to: size.columns) }
      }
      return Exit.fine
    }
    let start = Clock.steady()
    try write(try text(queue, rows: nil))
    // The interval runs from start to start, and outputs never overlap.
    var next = start + every
    while true {
      var poller = Poller()
      try poller.wait(until: next)
      try write(try text(queue, rows: nil))
      next = max(next + every, Clock.steady())
    }
  }

  private var fittingRows: Int? {
    isWhole || file != nil ? nil : TerminalSize.ofOutput?.rows
  }

  /// `rows`: of the terminal, where a report must fit.
  private func text(_ queue: Queue, rows: Int?) throws(Fault) -> String {
    try queue.requireExistence()
    let measurement = Measurement(queue)
    switch form {
    case .report(let json):
      var report = try measurement.report(since: since)
      if !json { return ReportTable(report).text(rows: rows) }
      report.ever = try measurement.everything()
      return ReportLine(report).text
    case .prometheus(let name):
      let ever = try measurement.everything(isNeeded: true)
      // No window: Prometheus computes its own rates.
      var report = try measurement.report(since: .zero, Activity())
      report.ever = ever
      return PrometheusText(report, queue: name).text
    case .percentiles(let stage):
      return try measurement.activity(since: since).latency(of: stage).percentileText
    case .picture(let stage, let isSVG):
      var report = try measurement.report(since: since)
      report.periods = try measurement.minutes(60)
      return isSVG
        ? SVGPicture(report, stage, title: printable(queue.path)).text
        : Picture(report, stage, width: TerminalSize.ofOutput?.columns ?? 80).text
    case .model(let json):
      let activity = try measurement.activity(since: since)
      let window = try Window(measurement, since, activity)
      let model = ModelReport(activity, accepted: window.accepted, seconds: window.seconds)
      return json ? model.line + "\n" : model.text
    case .comparison(let first, let second, let json):
      let comparison = Comparison(
        try side(first, measurement), try side(second, measurement))
      return json ? comparison.line + "\n" : comparison.text
    case .tags(let json):
      let tags = TagReport(try measurement.activities(since: since))
      return json ? tags.line : tags.text
    case .chart(let minutes, let json):
      let charts = ControlCharts(try measurement.minutes(minutes))
      return json ? charts.line + "\n" : charts.text
    }
  }

  // A name with a slash is a queue, a name without one is a tag.
  private func side(_ name: String, _ measurement: Measurement) throws(Fault) -> ComparedSide {
    if name.contains("/") {
      let other = QueueLocation(path: name, force: location.force)
      let queue = try other.open(Diagnostics(command: "stats"))
      return ComparedSide(try Measurement(queue).activity(since: since), named: name)
    }
    let tag = name == "-" ? nil : name
    guard let found = try measurement.activities(since: since, of: [tag])[tag] else {
      throw Fault(
        .unknown,
        "\(printable(name)): nothing was settled with this tag; to name a queue, write a / in it")
    }
    return ComparedSide(found, named: name)
  }

  private func write(_ text: String) throws(Fault) {
    if let file { return try replaceFile(file, Array(text.utf8)) }
    let output = Output()
    output.append(text)
    try output.flush()
  }
}

/// The head of a live view: `every 2 s                2026-11-30T17:23:31Z   q ends`.
func clockLine(_ every: TimeSpan, _ size: TerminalSize) -> String {
  let interval = "every \(every.words)"
  let clock = "\(shortTime(Clock.now()))   q ends"
  return (interval + clock.right(max(clock.count + 2, size.columns - interval.count)))
    .cut(to: size.columns)
}

/// `pipe stats --field`: percentiles of a number in JSON Lines. It needs no queue.
package struct FieldJob {
  let name: String
  let path: FieldPath
  let json: Bool

  package init(name: String, path: FieldPath, json: Bool) {
    self.name = name
    self.path = path
    self.json = json
  }

  /// Longest line in bytes; any record that a queue takes by default is shorter.
  private static let longest = 64 << 20

  package func run() throws(Fault) -> Int32 {
    let diagnostics = Diagnostics(command: "stats")
    var lines = LineLoop(
      diagnostics, rejects: try RejectFile(nil), limit: FieldJob.longest, limitAdvice: "")
    var scanner = LineScanner(watching: [])
    var sample = NumberSample()
    var skipped = 0
    lines.begin(Input.standard)
    while let event = try lines.next() {
      guard case .line(let line) = event else { continue }
      do throws(Rejection) {
        if let value = try number(in: line, &scanner) {
          sample.record(value)
        } else {
          skipped += 1
        }
      } catch { try lines.reject(error) }
    }
    let output = Output()
    output.append(json ? sample.line(skipped: skipped) : sample.table(printable(name)))
    try output.flush()
    if sample.count == 0 {
      // A name with dots may be a path or one member: the message gives both.
      let other = path.asOneName.map {
        "; a member with dots in its name is written \(printable($0))"
      }
      diagnostics.say("no line has a numeric member \(printable(name))" + (other ?? ""))
    } else if skipped > 0 {
      diagnostics.say(
        "\(skipped) of \(lines.lines) lines have no numeric member \(printable(name))")
    }
    let status = lines.conclusion()
    return status == Exit.fine && sample.count == 0 ? Exit.someFailed : status
  }

  private func number(
    in line: UnsafeRawBufferPointer, _ scanner: inout LineScanner
  ) throws(Rejection) -> SampledNumber? {
    let found: Span?
    do throws(JSONFault) {
      let value = try scanner.scan(line)
      guard value.kind == .object else { return nil }
      let object = UnsafeRawBufferPointer(rebasing: line[value.range])
      found = try find(path, in: object)
      guard let found, found.kind == .number || found.kind == .integer else { return nil }
      let text = String(decoding: object[found.range], as: UTF8.self)
      if found.kind == .integer, let whole = SampledNumber(whole: text) { return whole }
      let number = strtod(text, nil)
      return number.isFinite ? SampledNumber(number) : nil
    } catch {
      throw Rejection(error)
    }
  }
}
