package import PipeIO
package import PipeEngine
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
