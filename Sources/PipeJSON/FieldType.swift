package enum FieldType: String, CaseIterable, Sendable {
  case string, number, integer, boolean, object, array
  case dateTime = "date-time"
  case any
}

/// Whether the value at `span` of a validated text is of this type.
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
