extension Text {
  /// The value that begins at `start`, which may be the end, inside `depth` open brackets.
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

  /// Passes the object or array that opens at `start`.
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

  /// Passes an opening bracket and what comes before its first value. False: it is closed again.
  @inline(__always)
  private func open(_ i: inout Int, _ nesting: inout Nesting) throws(JSONFault) -> Bool {
    if nesting.isFull { throw fault(.tooDeep, at: i) }
    let isObject = self[i] == .openBrace
    i = spaceEnd(from: i &+ 1)
    if has(isObject ? .closeBrace : .closeBracket, at: i) {
      i &+= 1
      // Never counted, so that after a whole text `{}` the depth is 0 as after any other.
      return false
    }
    nesting.open(object: isObject)
    if isObject { i = try memberValueStart(from: i) }
    return true
  }

  /// After a value: passes closing brackets up to a comma, and the comma. True: all are closed.
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

  /// Passes a member's name and colon.
  @inline(__always)
  private func memberValueStart(from start: Int) throws(JSONFault) -> Int {
    guard has(.quote, at: start) else { throw fault(.expectedName, at: start) }
    return try colonEnd(from: try stringEnd(from: start &+ 1))
  }

  /// Passes a colon and the white space on both sides.
  @inline(__always)
  func colonEnd(from start: Int) throws(JSONFault) -> Int {
    let i = spaceEnd(from: start)
    guard has(.colon, at: i) else { throw fault(.expectedColon, at: i) }
    return spaceEnd(from: i &+ 1)
  }
}

/// The open brackets around a place, one bit each, set for an object: what recursion would keep
/// on the call stack, in a bounded place.
struct Nesting {
  static let limit = 512

  /// Brackets opened before this count was begun.
  let outside: Int
  private(set) var depth = 0
  /// The innermost brackets, back to the last multiple of 64; the older ones are in `filled`.
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
  /// A number without fraction and exponent.
  case integer
  /// A number with one of them, or both.
  case number
  case boolean, null
}

/// Where a value lies in the scanned buffer, without white space around it.
package struct Span: Equatable, Sendable {
  package let range: Range<Int>
  package let kind: Kind

  @inline(__always)
  init(_ start: Int, _ end: Int, _ kind: Kind) {
    range = Range(uncheckedBounds: (start, end))
    self.kind = kind
  }
}
