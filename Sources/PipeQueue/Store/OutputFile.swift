internal import CPipeIO
internal import Glibc
package import PipeIO
package import PipeTime

/// What one attempt printed and how it ended, or the value that an answer gave for it.
package struct AttemptOutput {
  package var attempt: Int
  /// nil if unknown.
  package var started: Instant?
  package var ended: Instant
  package var exitStatus: Int32?
  package var signal: Int32?
  package var stdout: KeptOutput
  package var stderr: KeptOutput
  /// JSON; nil: no answer gave a value.
  package var value: [UInt8]?

  package init(
    attempt: Int, started: Instant?, ended: Instant, exitStatus: Int32? = nil,
    signal: Int32? = nil, stdout: KeptOutput = KeptOutput(limit: 0),
    stderr: KeptOutput = KeptOutput(limit: 0), value: [UInt8]? = nil
  ) {
    self.attempt = attempt
    self.started = started
    self.ended = ended
    self.exitStatus = exitStatus
    self.signal = signal
    self.stdout = stdout
    self.stderr = stderr
    self.value = value
  }
}

/// A record of a file in output/ (pipe-queue(5), OUTPUT): a line of columns, then the bytes.
///
///     CRC32C FROM TO ATTEMPT STARTED ENDED EXIT SIGNAL HEAD TAIL TOTAL HEAD TAIL TOTAL VALUE
struct OutputRecord {
  let numbers: Range<Int>
  let output: AttemptOutput

  /// Longest line of columns.
  static let mostColumns = 400

  static func path(_ lane: Lane, _ segment: Int) -> String {
    "output/\(lane.name)/\(Segment.group(segment))/\(Segment.name(segment))"
  }

  func bytes(_ lane: Lane) -> [UInt8] {
    let columns: [Int?] = [
      numbers.lowerBound, numbers.upperBound, output.attempt,
      output.started.map { Int($0.microseconds) }, Int(output.ended.microseconds),
      output.exitStatus.map { Int($0) }, output.signal.map { Int($0) }, output.stdout.head.count,
      output.stdout.tail.count, output.stdout.total, output.stderr.head.count,
      output.stderr.tail.count, output.stderr.total, output.value?.count,
    ]
    var text = columns.map { $0.map { String($0) } ?? "-" }.joined(separator: " ")
    text += "\n"
    var rest = Array(text.utf8)
    rest += output.stdout.head + output.stdout.tail + output.stderr.head + output.stderr.tail
    rest += (output.value ?? []) + [newline]
    let sum = rest.withUnsafeBytes {
      cpipe_crc32c(OutputRecord.seed(lane), $0.baseAddress, $0.count)
    }
    return Array(hexText(sum).utf8) + [space] + rest
  }

  private static func seed(_ lane: Lane) -> UInt32 { UInt32(lane.rawValue) }

  /// The columns of a record, before its bytes are read.
  struct Head {
    let numbers: Range<Int>
    let sum: UInt32
    /// Bytes of its line, and of what follows it.
    let line: Int
    let body: Int
    fileprivate let columns: [Int?]

    /// `text`: from the start of the record. nil: no record begins there.
    init?(_ text: UnsafeRawBufferPointer) {
      guard let end = text.firstIndex(of: newline) else { return nil }
      var pieces = FieldSplitter(UnsafeRawBufferPointer(rebasing: text[..<end]))
      guard let digits = pieces.next(before: space), digits.count == 8, let sum = hex(digits) else {
        return nil
      }
      var columns: [Int?] = []
      while let piece = pieces.next(before: space) {
        if piece.elementsEqual([dash]) {
          columns.append(nil)
        } else {
          guard let number = decimal(piece) else { return nil }
          columns.append(number)
        }
      }
      guard columns.count == 14, let from = columns[0], let to = columns[1], from < to,
        columns[2] != nil, columns[4] != nil
      else { return nil }
      var body = 1
      for index in [7, 8, 10, 11] {
        guard let length = columns[index], length <= 1 << 40 else { return nil }
        body += length
      }
      numbers = from..<to
      self.sum = sum
      line = end + 1
      self.body = body + (columns[13] ?? 0)
      self.columns = columns
    }

    /// nil: the bytes are not those that were written. `bytes`: the whole record.
    func record(_ bytes: UnsafeRawBufferPointer, _ lane: Lane) -> OutputRecord? {
      guard bytes.count == line + body,
        cpipe_crc32c(OutputRecord.seed(lane), bytes.baseAddress! + 9, bytes.count - 9) == sum
      else { return nil }
      var at = line
      func take(_ column: Int) -> [UInt8] {
        let length = columns[column] ?? 0
        defer { at += length }
        return Array(bytes[at..<(at + length)])
      }
      func kept(_ column: Int) -> KeptOutput {
        KeptOutput(head: take(column), tail: take(column + 1), total: columns[column + 2] ?? 0)
      }
      let (stdout, stderr) = (kept(7), kept(10))
      return OutputRecord(
        numbers: numbers,
        output: AttemptOutput(
          attempt: columns[2]!, started: columns[3].map { Instant(microseconds: $0) },
          ended: Instant(microseconds: columns[4]!),
          exitStatus: columns[5].map { Int32(truncatingIfNeeded: $0) },
          signal: columns[6].map { Int32(truncatingIfNeeded: $0) }, stdout: stdout, stderr: stderr,
          value: columns[13] == nil ? nil : take(13)))
    }
  }
}

/// Appends records of output. Each owner slot has a file of its own beside the segment of the items, so
/// that no two processes write to one file, and pruning the segment removes it.
final class OutputWriter {
  private let queue: Queue
  private var files: [String: Descriptor] = [:]
  private var hasFailed = false

  /// Files kept open.
  private static let most = 16

  init(_ queue: Queue) { self.queue = queue }

  /// Appends `output` for these items of a lane, all in one segment. Returns the file, which is to be
  /// flushed before the items are settled on disk; nil if there was no room: output only informs.
  /// No transition: output gives no state
  func append(
    _ output: AttemptOutput, _ lane: Lane, _ segment: Int, _ numbers: [Range<Int>], slot: Int
  ) -> Descriptor? {
    if queue.root.isShortOfRoom { return nil }
    do throws(Fault) {
      let file = try file(lane, segment, slot)
      for run in numbers {
        try file.append(OutputRecord(numbers: run, output: output).bytes(lane))
      }
      return file
    } catch {
      if !hasFailed { queue.report("\(error.text); output of commands is not kept") }
      hasFailed = true
      return nil
    }
  }

  private func file(_ lane: Lane, _ segment: Int, _ slot: Int) throws(Fault) -> Descriptor {
    let path = OutputRecord.path(lane, segment) + "/" + Owner.name(slot)
    if let open = files[path] { return open }
    if files.count == OutputWriter.most { files.removeAll() }
    var at = queue.root
    for name in ["output", lane.name, Segment.group(segment), Segment.name(segment)] {
      let next = try at.subdirectory(making: name)
      try at.flush()
      at = next
    }
    let file = try Descriptor.create(Owner.name(slot), in: at, O_RDWR | O_APPEND)
    try at.flush()
    // A process that died left half a record: the next one begins on a line of its own.
    let size = try file.size()
    if size > 0 {
      let last = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
      defer { last.deallocate() }
      if try file.read(into: last, at: size - 1) == 1, last[0] != newline {
        try file.append([newline])
      }
    }
    files[path] = file
    return file
  }
}

extension Queue {
  /// The outputs of an entry, by item number within it from 1, in order of time; nil if there is no such
  /// entry.
  package func outputs(of id: EntryID) throws(Fault) -> [(
    items: ClosedRange<Int>, output: AttemptOutput
  )]? {
    guard let view = try look(at: id) else { return nil }
    let directory = try Directory.open(
      OutputRecord.path(view.lane, view.reader.segment), in: root)
    var found: [(items: ClosedRange<Int>, output: AttemptOutput)] = []
    var names: [String] = []
    try directory?.forEachName { names.append(String(decoding: $0, as: UTF8.self)) }
    for name in names.sorted() {
      guard let file = try Descriptor.open(name, in: directory!, O_RDONLY) else { continue }
      try OutputReader(file, view.lane).forEach(touching: view.numbers) { record in
        let items = record.numbers.clamped(to: view.numbers)
        let first = items.lowerBound - view.line.number + 1
        found.append((first...(first + items.count - 1), record.output))
      }
    }
    return found.sorted { $0.output.ended < $1.output.ended }
  }

  /// Removes the outputs of a segment that is about to be removed.
  /// Step of: prune
  func removeOutput(_ lane: Lane, _ segment: Int) throws(Fault) {
    guard let directory = try Directory.open(OutputRecord.path(lane, segment), in: root) else {
      return
    }
    var names: [String] = []
    try directory.forEachName { names.append(String(decoding: $0, as: UTF8.self)) }
    for name in names { try directory.removeWithBlocks(name) }
    let group = "output/\(lane.name)/\(Segment.group(segment))"
    try Directory.open(group, in: root)?.removeDirectory(Segment.name(segment))
    try Directory.open("output/\(lane.name)", in: root)?.removeDirectory(Segment.group(segment))
  }
}

/// Reads the records of one file. A damaged or torn record costs only itself.
private struct OutputReader {
  private let file: Descriptor
  private let lane: Lane

  init(_ file: Descriptor, _ lane: Lane) {
    (self.file, self.lane) = (file, lane)
  }

  func forEach(
    touching numbers: Range<Int>, _ body: (OutputRecord) -> Void
  ) throws(Fault) {
    let size = try file.size()
    var offset = 0
    /// The end of the line of the last record: the search after damage begins there.
    var restart = 0
    while offset < size {
      guard let head = try head(at: offset), offset + head.line + head.body <= size else {
        offset = try nextLine(from: max(restart, offset), size)
        restart = offset
        continue
      }
      restart = offset + head.line
      if head.numbers.overlaps(numbers) {
        let bytes = try read(head.line + head.body, at: offset)
        guard let record = bytes.withUnsafeBytes({ head.record($0, lane) }) else {
          offset = try nextLine(from: restart, size)
          continue
        }
        body(record)
      }
      offset += head.line + head.body
    }
  }

  private func head(at offset: Int) throws(Fault) -> OutputRecord.Head? {
    try read(OutputRecord.mostColumns, at: offset).withUnsafeBytes { OutputRecord.Head($0) }
  }

  private func nextLine(from start: Int, _ size: Int) throws(Fault) -> Int {
    var at = start
    while at < size {
      let bytes = try read(1 << 16, at: at)
      if bytes.isEmpty { return size }
      if let found = bytes.firstIndex(of: newline) { return at + found + 1 }
      at += bytes.count
    }
    return size
  }

  private func read(_ count: Int, at offset: Int) throws(Fault) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
    defer { buffer.deallocate() }
    var done = 0
    while done < count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let more = try file.read(into: rest, at: offset + done)
      if more <= 0 { break }
      done += more
    }
    return Array(buffer[..<done])
  }
}
