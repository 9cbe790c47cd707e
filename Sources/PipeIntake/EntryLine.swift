internal import Glibc
internal import PipeJSON
package import PipeEngine
internal import PipeRender
package import PipeTime

/// An entry, and the range of its data in the line.
package struct ParsedEntry {
  package let entry: NewEntry
  package let data: Range<Int>
  /// Whether the line has a key of its own.
  package var hasKey = false
}

/// Reads entry lines, which `ingest` writes and `enqueue` stores (pipe-enqueue(1), ENTRY LINES).
package struct EntryLineReader {
  private var scanner = LineScanner(
    watching: ["id", "priority", "time", "data", "ids", "key", "not_before"])
  private static let id = 0, priority = 1, time = 2, data = 3, ids = 4, key = 5, notBefore = 6

  private var lastTime: (text: [UInt8], value: Instant) = ([], .epoch)

  static let advice = "not an entry line: run it through pipe ingest, or use --raw"

  package init() {}

  /// An entry that is ready when its line says so.
  package mutating func read(
    _ line: UnsafeRawBufferPointer, slice: Int, now: Instant
  ) throws(Rejection) -> ParsedEntry {
    try read(line, slice: slice, now: now, start: nil)
  }

  mutating func read(
    _ line: UnsafeRawBufferPointer, slice: Int, now: Instant, start: Start?
  ) throws(Rejection) -> ParsedEntry {
    let value: Span
    do throws(JSONFault) { value = try scanner.scan(line) } catch { throw Rejection(error) }
    guard value.kind == .object, let id = scanner[EntryLineReader.id] else {
      throw Rejection(EntryLineReader.advice)
    }
    guard id.kind == .string, let name = EntryID(string(line, id)) else {
      throw Rejection("id is not a ULID; \(EntryLineReader.advice)", byte: id.range.lowerBound + 1)
    }
    var entry = NewEntry(id: name, priority: try priority(line))
    entry.created = try created(line)
    let own = try notBefore(line, now)
    let (key, chosen) = (try key(line), start ?? own)
    entry.options = LineOptions.column(
      key: key, notBefore: chosen.notBefore, delay: chosen.delay)
    switch (scanner[EntryLineReader.data], scanner[EntryLineReader.ids]) {
    case (let data?, nil):
      return ParsedEntry(entry: entry, data: data.range, hasKey: key != nil)
    case (nil, let list?):
      entry.ids = (try idCount(line, list), slice)
      return ParsedEntry(entry: entry, data: list.range, hasKey: key != nil)
    default: throw Rejection("needs either data or ids; \(EntryLineReader.advice)")
    }
  }

  private func string(_ line: UnsafeRawBufferPointer, _ span: Span) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      rebasing: line[(span.range.lowerBound + 1)..<(span.range.upperBound - 1)])
  }

  private func priority(_ line: UnsafeRawBufferPointer) throws(Rejection) -> Lane {
    guard let span = scanner[EntryLineReader.priority] else { return .medium }
    guard let priority = Lane(line, span) else {
      throw Rejection("priority must be HIGH, MEDIUM or LOW", byte: span.range.lowerBound + 1)
    }
    return priority
  }

  // Lines that ingest read together have the same time, so the last one is kept.
  private mutating func created(_ line: UnsafeRawBufferPointer) throws(Rejection) -> Instant? {
    guard let span = scanner[EntryLineReader.time] else { return nil }
    let text = UnsafeRawBufferPointer(rebasing: line[span.range])
    if text.count == lastTime.text.count, memcmp(text.baseAddress!, lastTime.text, text.count) == 0
    {
      return lastTime.value
    }
    let value = try instant(line, span, "time")
    lastTime = (Array(text), value)
    return value
  }

  private func instant(
    _ line: UnsafeRawBufferPointer, _ span: Span, _ name: String
  ) throws(Rejection) -> Instant {
    guard span.kind == .string, let time = parseDateTime(string(line, span)), time >= .epoch else {
      throw Rejection(
        "\(name) is not an RFC 3339 time since 1970", byte: span.range.lowerBound + 1)
    }
    return time
  }

  private func notBefore(_ line: UnsafeRawBufferPointer, _ now: Instant) throws(Rejection) -> Start
  {
    guard let span = scanner[EntryLineReader.notBefore] else { return .atOnce }
    return Start(try instant(line, span, "not_before"), now)
  }

  // Equal keys get equal text, however the line escaped them: keys are compared byte by byte.
  private func key(_ line: UnsafeRawBufferPointer) throws(Rejection) -> [UInt8]? {
    guard let span = scanner[EntryLineReader.key] else { return nil }
    guard span.kind == .string else {
      throw Rejection("key is not a string", byte: span.range.lowerBound + 1)
    }
    return Self.keyColumn(decodeString(UnsafeRawBufferPointer(rebasing: line[span.range])))
  }

  /// A key as a segment stores it.
  package static func keyColumn(_ key: [UInt8]) -> [UInt8] {
    var quoted: [UInt8] = []
    key.withUnsafeBytes { appendJSONString($0, to: &quoted) }
    // Columns of a segment contain no spaces.
    return quoted.flatMap { $0 == 0x20 ? Array("\\u0020".utf8) : [$0] }
  }
}

/// Writes entry lines. Everything but the id and the data is the same for all lines of a kind that were
/// read together, so it is composed once.
struct EntryLineWriter {
  /// `{"id":"`, room for the id, and the rest up to the data; by priority, for records and for id
  /// requests.
  private var heads: [[UInt8]] = []
  private var time: Instant = .epoch

  private static let opening: StaticString = #"{"id":""#

  /// `time`: when the next lines were read.
  mutating func begin(at time: Instant) {
    self.time = time
    heads = Array(repeating: [], count: 2 * Lane.allCases.count)
  }

  private func head(_ priority: Lane, isIDs: Bool) -> [UInt8] {
    Array(#"\#(Self.opening)\#(EntryID.none.text)","priority":"\#(priority.name)","time":"#.utf8)
      + JSONWriter.quotedTime(time) + Array(isIDs ? #","ids":"#.utf8 : #","data":"#.utf8)
  }

  mutating func append(
    _ id: EntryID, _ accepted: ParsedRecord, _ line: UnsafeRawBufferPointer, to out: inout [UInt8]
  ) {
    open(id, accepted.priority, isIDs: accepted.isIDs, to: &out)
    out.append(contentsOf: UnsafeRawBufferPointer(rebasing: line[accepted.data]))
    close(&out)
  }

  /// The line of an item of text.
  mutating func append(
    _ id: EntryID, _ priority: Lane, text: UnsafeRawBufferPointer, to out: inout [UInt8]
  ) {
    open(id, priority, isIDs: false, to: &out)
    TextItem.append(text, to: &out)
    close(&out)
  }

  @inline(__always)
  private mutating func open(_ id: EntryID, _ priority: Lane, isIDs: Bool, to out: inout [UInt8]) {
    let place = out.count + Self.opening.utf8CodeUnitCount
    let kind = Int(priority.rawValue) + (isIDs ? Lane.allCases.count : 0)
    if heads[kind].isEmpty { heads[kind] = head(priority, isIDs: isIDs) }
    out += heads[kind]
    out.withUnsafeMutableBufferPointer { id.write(to: $0.baseAddress! + place) }
  }

  @inline(__always)
  private func close(_ out: inout [UInt8]) {
    let end: StaticString = "}\n"
    out.append(contentsOf: UnsafeBufferPointer(start: end.utf8Start, count: 2))
  }
}
