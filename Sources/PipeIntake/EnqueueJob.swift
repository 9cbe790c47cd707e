package import PipeIO
internal import PipeJSON
package import PipeQueue

/// `pipe enqueue`, from its options on.
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

  /// A commit is full at this many bytes: a flush of so much costs more than the flush itself.
  private static let commitSize = 4 << 20
  /// What an entry line has around its data.
  private static let envelope = 64 << 10

  package func run() throws(Fault) -> Int32 {
    let diagnostics = Diagnostics(command: "enqueue")
    let queue = try queue.create(diagnostics)
    var filter = LineLoop(
      diagnostics, rejects: try RejectFile(nil), limit: limit,
      margin: raw ? 0 : EnqueueJob.envelope)
    let commits = Committer(queue, quiet: quiet, wait: wait, dedup: dedup)
    var intake = EntryBuilder(raw: raw, slice: queue.settings.slice, schedule: schedule)
    var wrapping = WrappingNotice(diagnostics, wayOut: "leave out --raw to store the entry itself")
    do throws(Fault) {
      try filter.run(
        Input.standard,
        beforeReading: { (isReadable) throws(Fault) in
          if !isReadable { try commits.commit() }
        },
        accept: { (line) throws(Rejection) in
          if raw { wrapping.look(line) }
          try intake.take(line, into: &commits.draft)
        },
        afterLine: { () throws(Fault) in
          if commits.draft.byteCount >= EnqueueJob.commitSize { try commits.commit() }
        })
      try commits.commit()
    } catch {
      try? queue.count(.failedValidations, filter.rejected)
      if filter.hasHidden { _ = filter.conclusion() }
      throw error
    }
    try? queue.count(.failedValidations, filter.rejected)
    return filter.conclusion()
  }
}

/// Turns lines into entries of a draft.
private struct EntryBuilder {
  private let raw: Bool
  private let slice: Int
  private let schedule: Schedule
  private var acceptance = RecordValidator()
  private var reader = EntryLineReader()
  private var mint = ULIDGenerator()
  private var now: Int64 = 0
  /// As the options have it, for the lines of this draft.
  private var start: Start?
  private var compact: [UInt8] = []

  init(raw: Bool, slice: Int, schedule: Schedule) {
    self.raw = raw
    self.slice = slice
    self.schedule = schedule
  }

  mutating func take(_ line: UnsafeRawBufferPointer, into draft: inout WriteBatch) throws(Rejection)
  {
    if draft.isEmpty {
      now = Clock.now()
      start = schedule.start(now)
    }
    let judged =
      raw ? try accept(line) : try reader.read(line, slice: slice, now: now, start: start)
    draft.hasForeignIDs = !raw
    let bytes = UnsafeRawBufferPointer(rebasing: line[judged.data])
    let entry = judged.entry
    guard entry.ids != nil else { return draft.append(entry, data: bytes) }
    compact.removeAll(keepingCapacity: true)
    IDList.appendCompact(bytes, to: &compact)
    compact.withUnsafeBytes { draft.append(entry, data: $0) }
  }

  private mutating func accept(_ line: UnsafeRawBufferPointer) throws(Rejection) -> ParsedEntry {
    let accepted = try acceptance.judge(line)
    let id = mint.id(at: now)
    let options = start.flatMap {
      LineOptions.column(key: nil, notBefore: $0.notBefore, delay: $0.delay)
    }
    switch accepted {
    case .record(let priority, let data):
      return ParsedEntry(entry: NewEntry(id: id, priority: priority, options: options), data: data)
    case .ids(let priority, let list, let count):
      return ParsedEntry(
        entry: NewEntry(id: id, priority: priority, ids: (count, slice), options: options),
        data: list)
    }
  }
}
