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
