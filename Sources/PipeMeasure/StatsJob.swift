package import PipeIO
package import PipeQueue
package import PipeStats

/// The forms in which `pipe stats` shows a queue.
package enum StatsForm {
  case report(json: Bool)
  case prometheus
  case percentiles(Stage)
  case picture(Stage, isSVG: Bool)
  case model(json: Bool)
  case comparison(String, String, json: Bool)
  case tags(json: Bool)
  case chart(minutes: Int, json: Bool)
}

/// `pipe stats` of a queue, after its options are parsed.
package struct StatsJob {
  let location: QueueLocation
  let form: StatsForm
  /// Microseconds; nil: the whole retention period.
  let since: Int64?
  /// Microseconds between outputs; nil: one output.
  let every: Int64?
  /// nil: stdout.
  let file: String?

  package init(
    location: QueueLocation, form: StatsForm, since: Int64?, every: Int64?, file: String?
  ) {
    self.location = location
    self.form = form
    self.since = since
    self.every = every
    self.file = file
  }

  package func run() throws(Fault) -> Int32 {
    let queue = try location.open(report: OncePerMessage(Diagnostics(command: "stats").say).say)
    let start = Clock.steady()
    try write(try text(queue))
    guard let every else { return Exit.fine }
    // The interval runs from start to start, and outputs never overlap.
    var next = start + every
    while true {
      var poller = Poller()
      try poller.wait(until: next)
      try write(try text(queue))
      next = max(next + every, Clock.steady())
    }
  }

  private func text(_ queue: Queue) throws(Fault) -> String {
    if queue.isRemoved {
      throw Fault(.notFound, "\(printable(queue.path)): was removed while in use")
    }
    let measurement = Measurement(queue)
    switch form {
    case .report(let json):
      var report = try measurement.report(since: since)
      if !json { return ReportTable(report).text }
      report.ever = try measurement.everything()
      return ReportLine(report).text
    case .prometheus:
      let ever = try measurement.everything(isNeeded: true)
      // No window: Prometheus computes its own rates.
      var report = try measurement.report(since: 0, Activity())
      report.ever = ever
      return PrometheusText(report).text
    case .percentiles(let stage):
      return try measurement.activity(since: since).latency(of: stage).percentileText
    case .picture(let stage, let isSVG):
      var report = try measurement.report(since: since)
      report.periods = try measurement.minutes(60)
      return isSVG
        ? SVGPicture(report, stage, title: printable(queue.path)).text
        : Picture(report, stage, width: terminalColumns ?? 80).text
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
    // On a terminal, each output replaces the previous one.
    if every != nil, terminalColumns != nil { output.append("\u{1b}[H\u{1b}[2J") }
    output.append(text)
    try output.flush()
  }
}
