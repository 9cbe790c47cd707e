package import PipeJSON
package import PipeEngine

/// A valid line: a record or an id request.
package enum ParsedRecord {
  case record(Lane, data: Range<Int>)
  case ids(Lane, list: Range<Int>, count: Int)
}

extension ParsedRecord {
  package var isIDs: Bool { if case .ids = self { true } else { false } }

  package var priority: Lane {
    switch self {
    case .record(let priority, _), .ids(let priority, _, _): priority
    }
  }

  /// Where the record, or its list of ids, is in the line.
  package var data: Range<Int> {
    switch self {
    case .record(_, let range), .ids(_, let range, _): range
    }
  }
}

package struct Rejection: Error {
  /// Kinds that callers distinguish.
  package enum Kind {
    case emptyIDs, idOutOfRange, priority, other
  }

  /// Counts from 1; nil for the whole line.
  package let byte: Int?
  package let reason: String
  package let kind: Kind

  package init(_ reason: String, byte: Int? = nil, kind: Kind = .other) {
    self.byte = byte
    self.reason = reason
    self.kind = kind
  }

  package init(_ fault: JSONFault, at offset: Int = 0, kind: Kind? = nil) {
    let usual: Kind =
      switch fault.reason {
      case .emptyIDs: .emptyIDs
      case .idOutOfRange: .idOutOfRange
      default: .other
      }
    self.init(fault.reason.text, byte: fault.byte + offset + 1, kind: kind ?? usual)
  }
}

/// Validates lines by the rules of `ingest` (pipe-ingest(1)).
package struct RecordValidator {
  private var scanner: LineScanner
  let recordsOnly: Bool
  let fallback: Lane
  private let requirements: [Requirement]

  // `data` is watched only so that a line with two of them is rejected.
  private static let watched = ["ids", "priority", "data"]
  private static let ids = 0, priority = 1

  /// `fallback`: the priority of records that name none.
  package init(
    recordsOnly: Bool = false, fallback: Lane = .medium, requirements: [Requirement] = []
  ) {
    self.recordsOnly = recordsOnly
    self.fallback = fallback
    self.requirements = requirements
    scanner = LineScanner(watching: recordsOnly ? [] : RecordValidator.watched)
  }

  package mutating func judge(_ line: UnsafeRawBufferPointer) throws(Rejection) -> ParsedRecord {
    let value: Span
    do throws(JSONFault) { value = try scanner.scan(line) } catch { throw Rejection(error) }
    if isIDRequest { return try idRequest(line) }
    for requirement in requirements { try requirement.check(line, value) }
    return .record(recordPriority(line) ?? fallback, data: value.range)
  }

  // Only these members: a line with any other member is a record, whatever its `ids` contains.
  private var isIDRequest: Bool {
    let own = [RecordValidator.ids, RecordValidator.priority].count { scanner[$0] != nil }
    return own > 0 && own == scanner.memberCount
  }

  private func recordPriority(_ line: UnsafeRawBufferPointer) -> Lane? {
    guard !recordsOnly, let span = scanner[RecordValidator.priority] else { return nil }
    return Lane(line, span)
  }

  private func idRequest(_ line: UnsafeRawBufferPointer) throws(Rejection) -> ParsedRecord {
    guard let list = scanner[RecordValidator.ids] else {
      throw Rejection("id request has no ids")
    }
    let count = try idCount(line, list)
    guard let span = scanner[RecordValidator.priority] else {
      return .ids(.medium, list: list.range, count: count)
    }
    guard let priority = Lane(line, span) else {
      throw Rejection(
        "priority must be HIGH, MEDIUM or LOW", byte: span.range.lowerBound + 1, kind: .priority)
    }
    return .ids(priority, list: list.range, count: count)
  }
}

/// Number of ids in a list; rejects anything that is not a list of ids.
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

// A negative whole number: its kind is `idOutOfRange`.
private func isNegative(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
  let end = text.dropFirst().drop { $0 &- 0x30 < 10 }.first
  return text.first == 0x2d
    && end.map { [0x20, 0x09, 0x0a, 0x0d, 0x2c, 0x5d].contains($0) } ?? false
}

extension Lane {
  /// From a JSON string that is one of the three words; otherwise nil.
  init?(_ line: UnsafeRawBufferPointer, _ span: Span) {
    guard span.kind == .string else { return nil }
    let text = decodeString(UnsafeRawBufferPointer(rebasing: line[span.range]))
    guard let found = text.withUnsafeBytes({ Lane(name: $0) }) else { return nil }
    self = found
  }
}

/// `--require data.sensor:string`: a member that each record must have, and its type.
package struct Requirement {
  let name: String
  let path: FieldPath
  let type: FieldType

  package init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"),
      let path = FieldPath(String(argument[..<colon])),
      let type = FieldType(rawValue: String(argument[argument.index(after: colon)...]))
    else { return nil }
    name = String(argument[..<colon])
    self.path = path
    self.type = type
  }

  func check(_ line: UnsafeRawBufferPointer, _ value: Span) throws(Rejection) {
    guard value.kind == .object else { throw Rejection("not an object, so it has no \(name)") }
    let object = UnsafeRawBufferPointer(rebasing: line[value.range])
    let found: Span?
    do throws(JSONFault) { found = try find(path, in: object) } catch {
      throw Rejection(error, at: value.range.lowerBound)
    }
    guard let found else { throw Rejection("\(name) is missing") }
    guard matches(type, found, in: object) else {
      throw Rejection(
        "\(name) is not of type \(type.rawValue)",
        byte: value.range.lowerBound + found.range.lowerBound + 1)
    }
  }
}
