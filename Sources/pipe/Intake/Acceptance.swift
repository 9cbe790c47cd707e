internal import PipeJSON
internal import PipeQueue

/// What one line of JSON becomes, or why it does not.
enum Accepted {
  case record(Priority, data: Range<Int>)
  case ids(Priority, list: Range<Int>, count: Int)
}

struct Rejection: Error {
  /// What callers tell apart.
  enum Kind {
    case emptyIDs, idOutOfRange, priority, other
  }

  /// Counts from 1; nil where the whole line is meant.
  let byte: Int?
  let reason: String
  let kind: Kind

  init(_ reason: String, byte: Int? = nil, kind: Kind = .other) {
    self.byte = byte
    self.reason = reason
    self.kind = kind
  }

  init(_ fault: JSONFault, at offset: Int = 0, kind: Kind? = nil) {
    let usual: Kind =
      switch fault.reason {
      case .emptyIDs: .emptyIDs
      case .idOutOfRange: .idOutOfRange
      default: .other
      }
    self.init(fault.reason.text, byte: fault.byte + offset + 1, kind: kind ?? usual)
  }
}

/// Judges lines: the rules of `ingest` (pipe-ingest(1)).
struct Acceptance {
  private var scanner: LineScanner
  let recordsOnly: Bool
  private let fallback: Priority
  private let requirements: [Requirement]

  // `data` only because a line in which it comes twice is rejected.
  private static let watched = ["ids", "priority", "data"]
  private static let ids = 0, priority = 1

  /// `fallback`: of records that name no priority.
  init(recordsOnly: Bool = false, fallback: Priority = .medium, requirements: [Requirement] = []) {
    self.recordsOnly = recordsOnly
    self.fallback = fallback
    self.requirements = requirements
    scanner = LineScanner(watching: recordsOnly ? [] : Acceptance.watched)
  }

  mutating func judge(_ line: UnsafeRawBufferPointer) throws(Rejection) -> Accepted {
    let value: Span
    do throws(JSONFault) { value = try scanner.scan(line) } catch { throw Rejection(error) }
    if isIDRequest { return try idRequest(line) }
    for requirement in requirements { try requirement.check(line, value) }
    return .record(recordPriority(line) ?? fallback, data: value.range)
  }

  // No further member: what has one is a record, whatever is in `ids`.
  private var isIDRequest: Bool {
    let own = [Acceptance.ids, Acceptance.priority].count { scanner[$0] != nil }
    return own > 0 && own == scanner.memberCount
  }

  private func recordPriority(_ line: UnsafeRawBufferPointer) -> Priority? {
    guard !recordsOnly, let span = scanner[Acceptance.priority] else { return nil }
    return Priority(line, span)
  }

  private func idRequest(_ line: UnsafeRawBufferPointer) throws(Rejection) -> Accepted {
    guard let list = scanner[Acceptance.ids] else { throw Rejection("an id request without ids") }
    let count = try idCount(line, list)
    guard let span = scanner[Acceptance.priority] else {
      return .ids(.medium, list: list.range, count: count)
    }
    guard let priority = Priority(line, span) else {
      throw Rejection(
        "priority must be HIGH, MEDIUM or LOW", byte: span.range.lowerBound + 1, kind: .priority)
    }
    return .ids(priority, list: list.range, count: count)
  }
}

/// How many ids a list has; a list that is no list of ids is rejected.
func idCount(_ line: UnsafeRawBufferPointer, _ list: Span) throws(Rejection) -> Int {
  guard list.kind == .array else {
    throw Rejection("ids is not a list", byte: list.range.lowerBound + 1)
  }
  do throws(JSONFault) {
    return try IDList(validating: UnsafeRawBufferPointer(rebasing: line[list.range])).count
  } catch {
    let start = list.range.lowerBound + error.byte
    let isNegative = error.reason == .idNotDigits && isNegative(line[start..<list.range.upperBound])
    throw Rejection(error, at: list.range.lowerBound, kind: isNegative ? .idOutOfRange : nil)
  }
}

// A whole number, and yet no id.
private func isNegative(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
  let end = text.dropFirst().drop { $0 &- 0x30 < 10 }.first
  return text.first == 0x2d
    && end.map { [0x20, 0x09, 0x0a, 0x0d, 0x2c, 0x5d].contains($0) } ?? false
}

extension Priority {
  /// A JSON string that is one of the three words.
  init?(_ line: UnsafeRawBufferPointer, _ span: Span) {
    guard span.kind == .string else { return nil }
    let text = decodeString(UnsafeRawBufferPointer(rebasing: line[span.range]))
    guard let found = text.withUnsafeBytes({ Priority(name: $0) }) else { return nil }
    self = found
  }
}
