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
