extension Text {
  /// The value that begins at `start` inside `depth` open brackets. `start` may be the end of the
  /// text.
  @inline(__always)
  func value(from start: Int, depth: Int) throws(JSONFault) -> Span {
    guard start < count else { throw unexpectedEnd }
    let first = self[start]
    if first == .quote { return Span(start, try stringEnd(from: start &+ 1), .string) }
    if first.isDigit || first == .minus { return try number(from: start) }
    if first == .openBrace || first == .openBracket {
      let end = try containerEnd(from: start, outside: depth)
      return Span(start, end, first == .openBrace ? .object : .array)
    }
    let end = try literalEnd(from: start)
    return Span(start, end, first == UInt8(ascii: "n") ? .null : .boolean)
  }

  /// Skips the object or array that opens at `start`.
  @inline(never)
  private func containerEnd(from start: Int, outside: Int) throws(JSONFault) -> Int {
    var nesting = Nesting(outside: outside)
    var i = start
    while true {
      guard i < count else { throw unexpectedEnd }
      let first = self[i]
      if first == .quote {
        i = try stringEnd(from: i &+ 1)
      } else if first.isDigit || first == .minus {
        i = try number(from: i).range.upperBound
      } else if first == .openBrace || first == .openBracket {
        let isOpen = try open(&i, &nesting)
        if isOpen { continue }
      } else {
        i = try literalEnd(from: i)
      }
      let isDone = try closeOrGoOn(&i, &nesting)
      if isDone { return i }
    }
  }

  /// Skips an opening bracket and everything before its first value. False: the bracket is closed
  /// again.
  @inline(__always)
  private func open(_ i: inout Int, _ nesting: inout Nesting) throws(JSONFault) -> Bool {
    if nesting.isFull { throw fault(.tooDeep, at: i) }
    let isObject = self[i] == .openBrace
    i = spaceEnd(from: i &+ 1)
    if has(isObject ? .closeBrace : .closeBracket, at: i) {
      i &+= 1
      // Never counted: after a text `{}` the depth is 0, as after any other text.
      return false
    }
    nesting.open(object: isObject)
    if isObject { i = try memberValueStart(from: i) }
    return true
  }

  /// After a value: skips closing brackets up to a comma, and the comma. True: all are closed.
  @inline(__always)
  private func closeOrGoOn(_ i: inout Int, _ nesting: inout Nesting) throws(JSONFault) -> Bool {
    while nesting.depth > 0 {
      i = spaceEnd(from: i)
      guard i < count else { throw unexpectedEnd }
      if self[i] == .comma {
        i = spaceEnd(from: i &+ 1)
        if nesting.inObject { i = try memberValueStart(from: i) }
        return false
      }
      guard self[i] == (nesting.inObject ? .closeBrace : .closeBracket) else {
        throw fault(nesting.inObject ? .expectedCommaOrBrace : .expectedCommaOrBracket, at: i)
      }
      i &+= 1
      nesting.close()
    }
    return true
  }

  /// Skips a member's name and colon.
  @inline(__always)
  private func memberValueStart(from start: Int) throws(JSONFault) -> Int {
    guard has(.quote, at: start) else { throw fault(.expectedName, at: start) }
    return try colonEnd(from: try stringEnd(from: start &+ 1))
  }

  /// Skips a colon and the white space on both sides.
  @inline(__always)
  func colonEnd(from start: Int) throws(JSONFault) -> Int {
    let i = spaceEnd(from: start)
    guard has(.colon, at: i) else { throw fault(.expectedColon, at: i) }
    return spaceEnd(from: i &+ 1)
  }
}

/// The open brackets around an index, one bit each, set for an object. Bounded, unlike a recursive
/// parser's call stack.
struct Nesting {
  static let limit = 512

  /// Brackets opened before this count began.
  let outside: Int
  private(set) var depth = 0
  /// The innermost brackets, back to the last multiple of 64; older ones are in `filled`.
  private var word: UInt64 = 0
  private var filled = SIMD8<UInt64>()

  @inline(__always)
  init(outside: Int) { self.outside = outside }

  @inline(__always)
  var isFull: Bool { outside &+ depth >= Nesting.limit }

  @inline(__always)
  var inObject: Bool { word & 1 != 0 }

  @inline(__always)
  mutating func open(object: Bool) {
    if depth & 63 == 0, depth > 0 { filled[depth / 64 - 1] = word }
    word = word &<< 1 | (object ? 1 : 0)
    depth &+= 1
  }

  @inline(__always)
  mutating func close() {
    depth &-= 1
    word &>>= 1
    if depth & 63 == 0, depth > 0 { word = filled[depth / 64 - 1] }
  }
}

package enum Kind: Sendable {
  case object, array, string
  /// A number without a fraction or an exponent.
  case integer
  /// A number with a fraction, an exponent, or both.
  case number
  case boolean, null
}

/// The range of a value in the scanned buffer, without surrounding white space.
package struct Span: Equatable, Sendable {
  package let range: Range<Int>
  package let kind: Kind

  @inline(__always)
  init(_ start: Int, _ end: Int, _ kind: Kind) {
    range = Range(uncheckedBounds: (start, end))
    self.kind = kind
  }
}

extension Text {
  /// The number that begins at `start`, with a digit or a minus.
  @inline(__always)
  func number(from start: Int) throws(JSONFault) -> Span {
    let first = self[start] == .minus ? start &+ 1 : start
    let i = digitsEnd(from: first)
    if i == first { throw fault(.expectedDigit, at: i) }
    if self[first] == .zero, i > first &+ 1 { throw fault(.leadingZero, at: first) }
    guard i < count, self[i] == .dot || self[i].isExponent else {
      return Span(start, i, .integer)
    }
    return Span(start, try fractionEnd(from: i), .number)
  }

  @inline(never)
  private func fractionEnd(from start: Int) throws(JSONFault) -> Int {
    var i = start
    if self[i] == .dot { i = try someDigitsEnd(from: i &+ 1) }
    guard i < count, self[i].isExponent else { return i }
    i &+= 1
    if has(.plus, at: i) || has(.minus, at: i) { i &+= 1 }
    return try someDigitsEnd(from: i)
  }

  @inline(__always)
  private func someDigitsEnd(from start: Int) throws(JSONFault) -> Int {
    let i = digitsEnd(from: start)
    if i == start { throw fault(.expectedDigit, at: i) }
    return i
  }

  /// Skips `true`, `false` or `null`.
  func literalEnd(from start: Int) throws(JSONFault) -> Int {
    switch self[start] {
    case UInt8(ascii: "t"): try literalEnd(from: start, "true")
    case UInt8(ascii: "f"): try literalEnd(from: start, "false")
    case UInt8(ascii: "n"): try literalEnd(from: start, "null")
    default: throw fault(.expectedValue, at: start)
    }
  }

  @inline(__always)
  private func literalEnd(from start: Int, _ word: StaticString) throws(JSONFault) -> Int {
    for k in 0..<word.utf8CodeUnitCount where !has(word.utf8Start[k], at: start &+ k) {
      throw fault(.expectedLiteral, at: start &+ k)
    }
    return start &+ word.utf8CodeUnitCount
  }
}
