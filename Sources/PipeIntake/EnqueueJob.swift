internal import Glibc
package import PipeIO
internal import PipeJSON
package import PipeEngine
package import PipeRender
package import PipeTime

/// `pipe enqueue`, after its options are parsed.
package struct EnqueueJob {
  package var queue = QueueLocation()
  package var raw = false
  /// Each item of the input is text, ended like this; nil: entry lines, or records if `raw`.
  package var text: TextItem.End?
  package var quiet = false
  /// Time to wait for room.
  var wait: TimeSpan = .zero
  var limit = LineLoop.defaultLimit
  /// Time in which an equal entry counts as a duplicate; 0 for none.
  package var dedup: TimeSpan = .zero
  var schedule = Schedule.own

  package init(
    queue: QueueLocation = QueueLocation(), raw: Bool = false, text: TextItem.End? = nil,
    quiet: Bool = false, wait: TimeSpan = .zero,
    limit: Int = LineLoop.defaultLimit, dedup: TimeSpan = .zero, schedule: Schedule = Schedule.own
  ) {
    self.queue = queue
    self.raw = raw
    self.text = text
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
    // Its name may be mistyped, which only a person can tell.
    if queue.isNew, !quiet, isatty(STDERR_FILENO) != 0 {
      diagnostics.say("created the queue \(printable(queue.path))", .notice)
    }
    var lines = LineLoop(
      diagnostics, rejects: try RejectFile(nil), limit: limit,
      margin: raw || text != nil ? 0 : EnqueueJob.envelope, offersText: true, text: text)
    let committer = Committer(queue, quiet: quiet, wait: wait, dedup: dedup)
    var entries = EntryReader(
      raw: raw, text: text != nil, slice: queue.settings.slice, schedule: schedule)
    var wrapping = WrappingNotice(diagnostics, wayOut: "leave out --raw to store the entry itself")
    if !quiet { lines.progress = InputProgress(CollectionOfOne(Input.standard)) }
    lines.begin(Input.standard)
    if !quiet {
      let items = raw || text != nil ? "lines" : "entry lines"
      Input.announce(CollectionOfOne(Input.standard), diagnostics, items: items)
    }
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
  private let text: Bool
  private var encoded: [UInt8] = []
  private let slice: Int
  private let schedule: Schedule
  private var validator = RecordValidator()
  private var reader = EntryLineReader()
  private var builder: EntryBuilder
  private var now: Instant = .epoch
  /// When the lines of this write batch become ready, if an option says so.
  private var start: Start?

  init(raw: Bool, text: Bool, slice: Int, schedule: Schedule) {
    self.raw = raw
    self.text = text
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
    if text { return append(text: line, to: &batch) }
    let parsed =
      raw ? try record(line) : try reader.read(line, slice: slice, now: now, start: start)
    batch.hasForeignIDs = !raw
    builder.withData(parsed.data, of: line, isIDs: parsed.entry.ids != nil) {
      batch.append(parsed.entry, data: $0)
    }
  }

  private mutating func append(text: UnsafeRawBufferPointer, to batch: inout WriteBatch) {
    encoded.removeAll(keepingCapacity: true)
    TextItem.append(text, to: &encoded)
    let entry = builder.entry(
      .record(.medium, data: 0..<encoded.count), options: options, at: now)
    encoded.withUnsafeBytes { batch.append(entry, data: $0) }
  }

  private var options: [UInt8]? {
    start.flatMap { LineOptions.column(key: nil, notBefore: $0.notBefore, delay: $0.delay) }
  }

  private mutating func record(_ line: UnsafeRawBufferPointer) throws(Rejection) -> ParsedEntry {
    let record = try validator.judge(line)
    return ParsedEntry(entry: builder.entry(record, options: options, at: now), data: record.data)
  }
}
