package import PipeEngine
package import PipeIO
internal import PipeRender
internal import PipeStats
internal import PipeText
package import PipeTime

/// `pipe top`, after its options are parsed.
package struct TopJob {
  let queues: [QueueLocation]
  let every: TimeSpan

  package init(queues: [QueueLocation], every: TimeSpan) {
    self.queues = queues
    self.every = every
  }

  /// Period of the rates and of the latency.
  private static let window: TimeSpan = .seconds(60)
  /// Rows of running batches for which the holder is looked up.
  private static let mostHolders = 50

  package func run() throws(Fault) -> Int32 {
    // Mistakes appear before the screen is taken.
    let opened = try queues.map { (location) throws(Fault) in
      (name: printable(try location.resolved()), queue: try location.open(report: { _ in }))
    }
    guard let screen = try LiveScreen() else {
      throw Fault(.usage, "stdout is not a terminal; for scripts there is pipe stats --json")
    }
    try screen.run(every: every) { (size) throws(Fault) in
      let now = Clock.now()
      let view = TopView(rows: opened.map { row($0.name, $0.queue, now) }, now: now, size: size)
      return [clockLine(every, size)] + view.lines
    }
    return Exit.fine
  }

  private func row(_ name: String, _ queue: Queue, _ now: Instant) -> TopRow {
    var row = TopRow(name: name)
    do throws(Fault) {
      try queue.requireExistence()
      row.report = try Measurement(queue, at: now).report(since: TopJob.window)
      row.running = try queue.running(at: now, holdersOf: TopJob.mostHolders)
    } catch { row.fault = error.text }
    return row
  }
}

/// One queue at one instant, as `pipe top` shows it.
struct TopRow {
  let name: String
  /// nil: `fault` says why.
  var report: Report?
  var running: [RunningBatch] = []
  var fault: String?
}

/// The screen of `pipe top`.
struct TopView {
  let rows: [TopRow]
  let now: Instant
  let size: TerminalSize

  var lines: [String] { queues + (running.isEmpty ? [] : [""] + running) }

  private static let least = 80

  private var wide: Int { max(0, size.columns - TopView.least) }

  private var queues: [String] {
    let queue = 16 + wide
    let table = TextTable(
      [
        TextTable.Column("QUEUE", queue), TextTable.Column("READY", 6, isNumber: true),
        TextTable.Column("CLAIMED", 7, isNumber: true),
        TextTable.Column("LATER", 6, isNumber: true),
        TextTable.Column("DEAD", 6, isNumber: true), TextTable.Column("IN/S", 6, isNumber: true),
        TextTable.Column("OUT/S", 6, isNumber: true), TextTable.Column("P99"),
      ], width: size.columns)
    return [table.head]
      + rows.map { row in
        let name = row.name.cutAtStart(to: queue)
        guard let report = row.report else {
          return printable(row.fault ?? "").cut(to: size.columns)
        }
        let depths = report.depths
        let sums = [depths.ready, depths.claimed, depths.later, depths.dead].map { short($0.sum) }
        let rates = [report.inPerSecond, report.outPerSecond].map { $0.map(threeDigits) ?? "-" }
        let paused = report.pause == nil ? "" : "  paused"
        return table.row(
          [name] + sums + rates + [span(report.activity.total.percentile(99)) + paused])
      }
  }

  private var running: [String] {
    let all = rows.flatMap { row in row.running.map { (row.name, $0) } }.sorted {
      $0.1.since < $1.1.since
    }
    guard !all.isEmpty else { return [] }
    let queue = 16 + wide / 2
    let table = TextTable(
      [
        TextTable.Column("RUNS FOR", 11, isNumber: true), TextTable.Column("QUEUE", queue),
        TextTable.Column("ITEMS", 6, isNumber: true), TextTable.Column("TRY", 3, isNumber: true),
        TextTable.Column("HELD BY"),
      ], width: size.columns)
    let room = max(1, size.rows - rows.count - 5)
    let shown = all.prefix(room).map { name, batch in
      table.row([
        age((now - batch.since).seconds), name.cutAtStart(to: queue),
        short(batch.items), "\(batch.attempt)", printable(batch.holder ?? "batch \(batch.token)"),
      ])
    }
    let rest = all.count - shown.count
    return [table.head] + shown + (rest > 0 ? ["and \(counted(rest, "batch")) more"] : [])
  }
}

extension String {
  /// The end of a path says most.
  fileprivate func cutAtStart(to columns: Int) -> String {
    self.columns <= columns ? self : "…" + suffix(max(0, columns - 1))
  }
}
