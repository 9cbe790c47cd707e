package import PipeIO
internal import PipeJSON
package import PipeQueue

/// `pipe enqueue`, after its options are parsed.
package struct EnqueueJob {
  package var queue = QueueLocation()
  package var raw = false
  package var quiet = false
  /// Microseconds to wait for room.
  var wait: Int64 = 0
  var limit = LineLoop.defaultLimit
  /// Microseconds in which an equal entry counts as a duplicate; 0 for none.
  package var dedup: Int64 = 0
  var schedule = Schedule.own

  package init(
    queue: QueueLocation = QueueLocation(), raw: Bool = false, quiet: Bool = false, wait: Int64 = 0,
    limit: Int = LineLoop.defaultLimit, dedup: Int64 = 0, schedule: Schedule = Schedule.own
  ) {
    self.queue = queue
    self.raw = raw
    self.quiet = quiet
    self.wait = wait
    self.limit = limit
    self.dedup = dedup
    self.schedule = schedule
  }

  /// Bytes at which a commit is full: writing this much already costs more than the flush itself.
  private static let commitSize = 4 << 20
  /// Maximum bytes of an entry line besides its data.
  private static let envelope = 64 << 10

  package func run() throws(Fault) -> Int32 {
    let diagnostics = Diagnostics(command: "enqueue")
    let queue = try queue.create(diagnostics)
    var lines = LineLoop(
      diagnostics, rejects: try RejectFile(nil), limit: limit,
      margin: raw ? 0 : EnqueueJob.envelope)
    let committer = Committer(queue, quiet: quiet, wait: wait, dedup: dedup)
    var entries = EntryReader(raw: raw, slice: queue.settings.slice, schedule: schedule)
    var wrapping = WrappingNotice(diagnostics, wayOut: "leave out --raw to store the entry itself")
    lines.begin(Input.standard)
    do throws(Fault) {
      while let event = try lines.next() {
        switch event {
        case .line(let line):
          if raw { wrapping.look(line) }
          do throws(Rejection) { try entries.read(line, into: &committer.batch) } catch {
            try lines.reject(error)
          }
          if committer.batch.byteCount >= EnqueueJob.commitSize { try committer.commit() }
        case .drained(let isReadable):
          if !isReadable { try committer.commit() }
        }
      }
      try committer.commit()
    } catch {
      lines.end()
      try? queue.count(.failedValidations, lines.rejected)
      if lines.hasHidden { _ = lines.conclusion() }
      throw error
    }
    try? queue.count(.failedValidations, lines.rejected)
    return lines.conclusion()
  }
}

/// Reads lines into the entries of a write batch: records, or entry lines.
private struct EntryReader {
  private let raw: Bool
  private let slice: Int
  private let schedule: Schedule
  private var validator = RecordValidator()
  private var reader = EntryLineReader()
  private var builder: EntryBuilder
  private var now: Int64 = 0
  /// When the lines of this write batch become ready, if an option says so.
  private var start: Start?

  init(raw: Bool, slice: Int, schedule: Schedule) {
    self.raw = raw
    self.slice = slice
    self.schedule = schedule
    builder = EntryBuilder(slice: slice)
  }

  mutating func read(
    _ line: UnsafeRawBufferPointer, into batch: inout WriteBatch
  ) throws(Rejection) {
    if batch.isEmpty {
      now = Clock.now()
      start = schedule.start(now)
    }
    let parsed =
      raw ? try record(line) : try reader.read(line, slice: slice, now: now, start: start)
    batch.hasForeignIDs = !raw
    builder.withData(parsed.data, of: line, isIDs: parsed.entry.ids != nil) {
      batch.append(parsed.entry, data: $0)
    }
  }

  private mutating func record(_ line: UnsafeRawBufferPointer) throws(Rejection) -> ParsedEntry {
    let record = try validator.judge(line)
    let options = start.flatMap {
      LineOptions.column(key: nil, notBefore: $0.notBefore, delay: $0.delay)
    }
    return ParsedEntry(entry: builder.entry(record, options: options, at: now), data: record.data)
  }
}
