/// Member names from the outside in, joined by dots: `data.at`. A backslash escapes a dot in a
/// name, `event\.duration`, and a backslash that would otherwise be read as an escape.
package struct FieldPath: Equatable, Sendable {
  let names: [[UInt8]]

  /// Nil if a name is empty.
  package init?(_ dotted: String) {
    var names: [[UInt8]] = [[]]
    var rest = Array(dotted.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == .backslash, let next = rest.first, next == .dot || next == .backslash {
        names[names.count - 1].append(rest.removeFirst())
      } else if byte == .dot {
        names.append([])
      } else {
        names[names.count - 1].append(byte)
      }
    }
    if names.contains([]) { return nil }
    self.names = names
  }

  /// How to write a member whose own name contains these dots; nil if there are none.
  package var asOneName: String? {
    guard names.count > 1 else { return nil }
    let escaped = names.map { name in
      name.flatMap { $0 == .dot || $0 == .backslash ? [.backslash, $0] : [$0] }
    }
    return String(decoding: Array(escaped.joined(separator: [.backslash, .dot])), as: UTF8.self)
  }
}

/// The value at `path` in a validated value; nil if a member on the path is missing or not an
/// object.
package func find(
  _ path: FieldPath, in object: UnsafeRawBufferPointer
) throws(JSONFault) -> Span? {
  let text = Text(object)
  var start = text.spaceEnd(from: 0)
  var found: Span?
  for name in path.names {
    guard text.has(.openBrace, at: start), let value = try text.member(name, at: start)
    else { return nil }
    start = value.range.lowerBound
    found = value
  }
  return found
}

extension Text {
  /// The member of the object that opens at `start`. Reads all members, because a second one of
  /// this name is a fault.
  fileprivate func member(_ name: [UInt8], at start: Int) throws(JSONFault) -> Span? {
    var members = Members(of: self, at: start, depth: 1)
    var value: Span?
    while let member = try members.next() {
      guard isNamed(member, name) else { continue }
      if value != nil {
        let text = String(decoding: name, as: UTF8.self)
        throw JSONFault(byte: member.name.lowerBound - 1, reason: .duplicateMember(text))
      }
      value = member.value
    }
    return value
  }

  private func isNamed(_ member: Member, _ name: [UInt8]) -> Bool {
    member.isEscaped ? decoded(member.name) == name : equals(member.name, name)
  }
}

package enum FieldType: String, CaseIterable, Sendable {
  case string, number, integer, boolean, object, array
  case dateTime = "date-time"
  case any
}

/// Whether the value at `span` in a validated text has this type.
package func matches(
  _ type: FieldType, _ span: Span, in buffer: UnsafeRawBufferPointer
) -> Bool {
  switch type {
  case .string: span.kind == .string
  case .number: span.kind == .number || span.kind == .integer
  case .integer: span.kind == .integer
  case .boolean: span.kind == .boolean
  case .object: span.kind == .object
  case .array: span.kind == .array
  case .dateTime: span.kind == .string && isDateTime(buffer[part: span.range])
  case .any: true
  }
}

private func isDateTime(_ string: UnsafeRawBufferPointer) -> Bool {
  guard string.contains(.backslash) else {
    return parseDateTime(string[part: 1..<string.count - 1]) != nil
  }
  return decodeString(string).withUnsafeBytes { parseDateTime($0) != nil }
}
