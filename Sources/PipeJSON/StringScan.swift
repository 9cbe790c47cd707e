extension Text {
  /// Passes a string whose first byte, after the opening quote, is at `start`; returns the place
  /// after the closing quote.
  @inline(__always)
  func stringEnd(from start: Int) throws(JSONFault) -> Int {
    var escaped = false
    return try stringEnd(from: start, escaped: &escaped)
  }

  @inline(__always)
  func stringEnd(from start: Int, escaped: inout Bool) throws(JSONFault) -> Int {
    let i = specialIndex(from: start)
    if has(.quote, at: i) { return i &+ 1 }
    return try unusualStringEnd(from: i, escaped: &escaped)
  }

  @inline(never)
  private func unusualStringEnd(
    from start: Int, escaped: inout Bool
  ) throws(JSONFault) -> Int {
    var i = start
    while i < count {
      let byte = self[i]
      if byte == .quote { return i &+ 1 }
      if byte == .backslash {
        escaped = true
        i = try escapeEnd(from: i)
      } else if byte < 0x20 {
        throw fault(.controlByte(byte), at: i)
      } else if byte >= 0x80 {
        i = try sequenceEnd(from: i)
        continue
      }
      i = specialIndex(from: i)
    }
    throw unexpectedEnd
  }

  @inline(__always)
  private func sequenceEnd(from start: Int) throws(JSONFault) -> Int {
    let length = sequenceLength(in: bytes, at: start)
    guard length > 0 else { throw fault(.invalidUTF8, at: start) }
    return start &+ length
  }

  /// The first place from `start` with a quote, a backslash, a control byte or a byte outside
  /// ASCII; `count` if there is none.
  @inline(__always)
  private func specialIndex(from start: Int) -> Int {
    var i = start
    while i &+ 16 <= count {
      let offset = specialOffset(at: i)
      i &+= offset
      if offset < 16 { return i }
    }
    return specialIndexNearEnd(from: i)
  }

  private func specialIndexNearEnd(from start: Int) -> Int {
    var i = start
    while i < count, !isSpecial(self[i]) { i &+= 1 }
    return i
  }

  @inline(__always)
  private func isSpecial(_ byte: UInt8) -> Bool {
    byte == .quote || byte == .backslash || Int8(bitPattern: byte) < 0x20
  }

  /// How many of the 16 bytes from `index` come before a special one. Bytes outside ASCII are
  /// negative as signed ones, so one comparison finds them and the control bytes.
  /// The types are spelt out because a comparison with a scalar, or with an inferred type, goes
  /// lane by lane, thirty times slower.
  @inline(__always)
  private func specialOffset(at index: Int) -> Int {
    let block = bytes.loadUnaligned(fromByteOffset: index, as: SIMD16<Int8>.self)
    let quotes = block .== SIMD16<Int8>(repeating: 0x22)
    let backslashes = block .== SIMD16<Int8>(repeating: 0x5C)
    let others = block .< SIMD16<Int8>(repeating: 0x20)
    let hits = quotes .| backslashes .| others
    let halves = unsafeBitCast(hits, to: SIMD2<UInt64>.self)
    let low = halves[0].trailingZeroBitCount &>> 3
    let high = 8 &+ halves[1].trailingZeroBitCount &>> 3
    return low < 8 ? low : high
  }
}

extension Text {
  /// Passes the escape whose backslash is at `start`.
  private func escapeEnd(from start: Int) throws(JSONFault) -> Int {
    guard start &+ 1 < count else { throw unexpectedEnd }
    switch self[start &+ 1] {
    case .quote, .backslash, .slash, UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      return start &+ 2
    case UInt8(ascii: "u"):
      return try unicodeEscapeEnd(from: start)
    default:
      throw fault(.unknownEscape, at: start &+ 1)
    }
  }

  private func unicodeEscapeEnd(from start: Int) throws(JSONFault) -> Int {
    let unit = try codeUnit(from: start &+ 2)
    let next = start &+ 6
    guard unit & 0xF800 == 0xD800 else { return next }
    guard unit & 0xFC00 == 0xD800 else { throw fault(.unpairedSurrogate, at: start) }
    try expectPair(.backslash, at: next, of: start)
    try expectPair(UInt8(ascii: "u"), at: next &+ 1, of: start)
    guard try codeUnit(from: next &+ 2) & 0xFC00 == 0xDC00 else {
      throw fault(.unpairedSurrogate, at: start)
    }
    return next &+ 6
  }

  private func expectPair(_ byte: UInt8, at index: Int, of start: Int) throws(JSONFault) {
    guard index < count else { throw unexpectedEnd }
    guard self[index] == byte else { throw fault(.unpairedSurrogate, at: start) }
  }

  /// The value of the four hex digits at `start`.
  private func codeUnit(from start: Int) throws(JSONFault) -> UInt32 {
    var unit: UInt32 = 0
    for i in start..<start &+ 4 {
      guard i < count, let digit = self[i].hexValue else { throw fault(.expectedHexDigit, at: i) }
      unit = unit &<< 4 | digit
    }
    return unit
  }
}
