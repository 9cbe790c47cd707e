internal import Glibc
internal import PipeJSON
internal import PipeQueue

/// An entry, and the range of its data in the line.
struct ParsedEntry {
  let entry: NewEntry
  let data: Range<Int>
}

/// Reads entry lines, which `ingest` writes and `enqueue` stores (pipe-enqueue(1), ENTRY LINES).
package struct EntryLineReader {
  private var scanner = LineScanner(
    watching: ["id", "priority", "time", "data", "ids", "key", "not_before"])
  private static let id = 0, priority = 1, time = 2, data = 3, ids = 4, key = 5, notBefore = 6

  private var lastTime: (text: [UInt8], value: Int64) = ([], 0)

  static let advice = "not an entry line: run it through pipe ingest, or use --raw"

  mutating func read(
    _ line: UnsafeRawBufferPointer, slice: Int, now: Int64, start: Start?
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
    case (let data?, nil): return ParsedEntry(entry: entry, data: data.range)
    case (nil, let list?):
      entry.ids = (try idCount(line, list), slice)
      return ParsedEntry(entry: entry, data: list.range)
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
  private mutating func created(_ line: UnsafeRawBufferPointer) throws(Rejection) -> Int64? {
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
  ) throws(Rejection) -> Int64 {
    guard span.kind == .string, let time = parseDateTime(string(line, span)), time >= 0 else {
      throw Rejection(
        "\(name) is not an RFC 3339 time since 1970", byte: span.range.lowerBound + 1)
    }
    return time
  }

  private func notBefore(_ line: UnsafeRawBufferPointer, _ now: Int64) throws(Rejection) -> Start {
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

/// Writes entry lines.
enum EntryLineWriter {
  /// `time`: RFC 3339 text with its quotes.
  static func append(
    _ id: EntryID, _ accepted: ParsedRecord, _ line: UnsafeRawBufferPointer, time: [UInt8],
    to out: inout [UInt8]
  ) {
    let (priority, name, range): (Lane, StaticString, Range<Int>) =
      switch accepted {
      case .record(let priority, let data): (priority, #","data":"#, data)
      case .ids(let priority, let list, _): (priority, #","ids":"#, list)
      }
    JSONWriter.append(#"{"id":""#, to: &out)
    id.append(to: &out)
    switch priority {
    case .high: JSONWriter.append(#"","priority":"HIGH","time":"#, to: &out)
    case .medium: JSONWriter.append(#"","priority":"MEDIUM","time":"#, to: &out)
    case .low: JSONWriter.append(#"","priority":"LOW","time":"#, to: &out)
    }
    out += time
    JSONWriter.append(name, to: &out)
    out.append(contentsOf: UnsafeRawBufferPointer(rebasing: line[range]))
    out.append(0x7d)
    out.append(0x0a)
  }
}
