/// Validates lines, one JSON text each, and records where the watched top-level members are.
package struct LineScanner {
  private let watched: WatchedNames
  private var spans: [Span]
  /// One bit for each watched name in the last line.
  private var found: UInt16 = 0
  /// Number of top-level members in the last line; 0 if it was not an object.
  package private(set) var memberCount = 0

  /// At most 16 names in ASCII.
  package init(watching names: [String]) {
    watched = WatchedNames(names)
    spans = Array(repeating: Span(0, 0, .null), count: names.count)
  }

  /// The value of the watched name at `index` in the last line; nil if the name is missing or the
  /// line had a fault.
  package subscript(index: Int) -> Span? {
    found & 1 &<< UInt16(truncatingIfNeeded: index) != 0 ? spans[index] : nil
  }

  package mutating func scan(_ line: UnsafeRawBufferPointer) throws(JSONFault) -> Span {
    found = 0
    memberCount = 0
    let text = Text(line)
    let start = text.spaceEnd(from: 0)
    let whole =
      text.has(.openBrace, at: start)
      ? try scanObject(text, from: start) : try text.value(from: start, depth: 0)
    let rest = text.spaceEnd(from: whole.range.upperBound)
    guard rest == text.count else {
      found = 0
      memberCount = 0
      throw text.fault(.expectedEnd, at: rest)
    }
    return whole
  }

  @inline(__always)
  private mutating func scanObject(_ text: Text, from start: Int) throws(JSONFault) -> Span {
    var members = Members(of: text, at: start, depth: 1)
    var count = 0
    var seen: UInt16 = 0
    while let member = try members.next() {
      count &+= 1
      guard let k = watched.index(of: member, in: text) else { continue }
      let bit: UInt16 = 1 &<< UInt16(truncatingIfNeeded: k)
      if seen & bit != 0 { throw watched.duplicate(k, member) }
      seen |= bit
      spans[k] = member.value
    }
    found = seen
    memberCount = count
    return Span(start, members.index, .object)
  }
}

/// Why a line is rejected, and where.
package struct JSONFault: Error, Equatable {
  /// Zero-based offset in the scanned buffer; the buffer's count if the text ends too early.
  package let byte: Int
  package let reason: Reason

  package enum Reason: Equatable, Sendable {
    case unexpectedEnd
    case expectedValue
    case expectedLiteral
    case expectedDigit
    case leadingZero
    case expectedName
    case expectedColon
    case expectedCommaOrBrace
    case expectedCommaOrBracket
    case expectedEnd
    case tooDeep
    case invalidUTF8
    case controlByte(UInt8)
    case unknownEscape
    case expectedHexDigit
    case unpairedSurrogate
    case duplicateMember(String)
    case emptyIDs
    case idNotDigits
    case idOutOfRange
  }
}

extension JSONFault.Reason {
  package var text: String {
    switch self {
    case .unexpectedEnd: "unexpected end"
    case .expectedValue: "expected a value"
    case .expectedLiteral: "expected true, false or null"
    case .expectedDigit: "expected a digit"
    case .leadingZero: "leading zero in a number"
    case .expectedName: "expected a member name in quotes"
    case .expectedColon: "expected ':'"
    case .expectedCommaOrBrace: "expected ',' or '}'"
    case .expectedCommaOrBracket: "expected ',' or ']'"
    case .expectedEnd: "expected nothing after the value"
    case .tooDeep: "nesting deeper than \(Nesting.limit)"
    case .invalidUTF8: "invalid UTF-8"
    case .controlByte(let byte): "control byte \(byte.hexText) in a string"
    case .unknownEscape: "unknown escape in a string"
    case .expectedHexDigit: "expected four hex digits after \\u"
    case .unpairedSurrogate: "unpaired surrogate escape"
    case .duplicateMember(let name): "duplicate member \"\(name)\""
    case .emptyIDs: "ids list cannot be empty"
    case .idNotDigits: "id must be digits only"
    case .idOutOfRange: "id out of range 1 to 10000000000000000007"
    }
  }
}

extension UInt8 {
  fileprivate var hexText: String {
    let digits = String(self, radix: 16, uppercase: true)
    return digits.count == 1 ? "0x0\(digits)" : "0x\(digits)"
  }
}
