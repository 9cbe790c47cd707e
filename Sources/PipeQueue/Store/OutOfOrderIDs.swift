internal import CPipeIO
internal import Glibc
internal import PipeIO
internal import PipeTime

// Records where out-of-order ids are. The time of their line does not lead to these ids: they were
// minted more than a moment before they were stored, by a clock that was ahead, or in no order
// (pipe-queue(5), STRAYS).

/// A run of ascending ids within a commit.
struct OutOfOrderRun {
  let first: EntryID
  let last: EntryID
  let lane: Lane
  let segment: Int
  /// Bytes of the segment that hold the run.
  let bytes: Range<Int>

  /// File name in strays/: the first six digits of an id, which cover the 2^20 milliseconds (about
  /// 17 minutes) in which it was minted.
  static func fileName(_ id: EntryID) -> String { String(id.text.prefix(6)) }

  static func haveOneFile(_ one: EntryID, _ other: EntryID) -> Bool {
    one.ulid.high >> 36 == other.ulid.high >> 36
  }

  // The newline in front keeps a line torn by a crash from spoiling the next one.
  var text: [UInt8] {
    let columns =
      " \(first.text) \(last.text) \(lane.name) \(segment) \(bytes.lowerBound) \(bytes.upperBound)"
    var line = [newline] + [UInt8](repeating: 0, count: 8) + columns.utf8
    line.fillChecksum(from: 1)
    return line
  }

  init(_ first: EntryID, _ last: EntryID, _ lane: Lane, _ segment: Int, _ bytes: Range<Int>) {
    self.first = first
    self.last = last
    self.lane = lane
    self.segment = segment
    self.bytes = bytes
  }

  init?(_ text: UnsafeRawBufferPointer) {
    guard let content = checked(text) else { return nil }
    var columns = FieldSplitter(content)
    guard let first = columns.next(before: space).flatMap({ EntryID($0) }),
      let last = columns.next(before: space).flatMap({ EntryID($0) }),
      let lane = columns.next(before: space).flatMap(Lane.init(name:)),
      let segment = columns.number(before: space), let from = columns.number(before: space),
      let to = columns.number(before: space), from <= to
    else { return nil }
    self.init(first, last, lane, segment, from..<to)
  }
}

/// Records the out-of-order runs of one commit, under the lock of end/.
struct OutOfOrderLog {
  private let queue: Queue
  private var files: [String: Descriptor] = [:]

  init(_ queue: Queue) { self.queue = queue }

  /// How much later than its id a line may be stored and still be found by its time.
  static let patience: TimeSpan = .milliseconds(250)

  static func isStray(_ id: EntryID, time: Instant) -> Bool {
    time < id.time || time >= id.time + patience + .milliseconds(1)
  }

  mutating func note(
    _ lines: WriteBatch.LaneLines, _ lane: Lane, _ position: Position, time: Instant
  )
    throws(Fault)
  {
    if lines.isAscending, let first = lines.lines.first, let last = lines.lines.last,
      !OutOfOrderLog.isStray(first.id, time: time), !OutOfOrderLog.isStray(last.id, time: time)
    {
      return
    }
    var start = 0
    for index in 1...lines.lines.count {
      let (before, next) = (
        lines.lines[index - 1].id, index < lines.lines.count ? lines.lines[index].id : nil
      )
      if let next, before < next, OutOfOrderRun.haveOneFile(before, next) { continue }
      let bytes =
        (position.offset + lines.lines[start].start)..<(position.offset + lines.end(of: index - 1))
      try add(OutOfOrderRun(lines.lines[start].id, before, lane, position.segment, bytes))
      start = index
    }
  }

  private mutating func add(_ run: OutOfOrderRun) throws(Fault) {
    let name = OutOfOrderRun.fileName(run.first)
    let file: Descriptor
    if let held = files[name] { file = held } else { file = try open(name) }
    try run.text.write(to: file, at: try file.size())
  }

  private mutating func open(_ name: String) throws(Fault) -> Descriptor {
    let directory = try queue.part("strays")
    let file = try Descriptor.create(name, in: directory, O_WRONLY)
    files[name] = file
    return file
  }

  /// Flushes the files, and the directory even if the files are old: their creator may have died
  /// before flushing it.
  /// Transition: stray
  func flush() throws(Fault) {
    guard !files.isEmpty else { return }
    for file in files.values { try file.flushData() }
    try queue.part("strays").flush()
  }
}

extension Queue {
  /// The out-of-order runs that may hold ids from `first` to `last`.
  func strayRuns(_ first: EntryID, _ last: EntryID) throws(Fault) -> [OutOfOrderRun] {
    let directory = try part("strays")
    var found: [OutOfOrderRun] = []
    for name in try strayNames(first, last, directory) {
      guard let file = try Descriptor.open(name, in: directory, O_RDONLY) else { continue }
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: try file.size(), alignment: 8)
      defer { buffer.deallocate() }
      let count = try file.read(into: buffer, at: 0)
      var lines = FieldSplitter(cut(UnsafeRawBufferPointer(buffer), 0, count))
      while let line = lines.nextLine() {
        guard let run = OutOfOrderRun(line), run.first <= last, first <= run.last else { continue }
        found.append(run)
      }
    }
    return found
  }

  // Usually one file; a range of ids over several files is looked up in those that exist.
  private func strayNames(
    _ first: EntryID, _ last: EntryID, _ directory: Directory
  ) throws(Fault) -> [String] {
    let (low, high) = (OutOfOrderRun.fileName(first), OutOfOrderRun.fileName(last))
    if low == high { return [low] }
    return try directory.names().filter { low <= $0 && $0 <= high }
  }
}
