/// The bytes of one JSON text. No read goes past `count`: the buffer may end at an unmapped page.
struct Text {
  let bytes: UnsafeRawBufferPointer
  let count: Int

  @inline(__always)
  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    count = bytes.count
  }

  @inline(__always)
  subscript(index: Int) -> UInt8 { bytes[index] }

  @inline(__always)
  func has(_ byte: UInt8, at index: Int) -> Bool {
    index < count && bytes[index] == byte
  }

  /// Eight bytes, the first one in the lowest bits.
  @inline(__always)
  func word(at index: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
  }

  @inline(__always)
  func spaceEnd(from start: Int) -> Int {
    if start < count, bytes[start] <= 0x20 { return longSpaceEnd(from: start) }
    return start
  }

  @inline(never)
  private func longSpaceEnd(from start: Int) -> Int {
    var i = start
    while i < count, bytes[i].isSpace { i &+= 1 }
    return i
  }

  /// The first index from `start` on that does not hold a digit.
  @inline(__always)
  func digitsEnd(from start: Int) -> Int {
    var i = start
    while i &+ 8 <= count {
      let others = nonDigits(word(at: i))
      if others != 0 { return i &+ others.trailingZeroBitCount &>> 3 }
      i &+= 8
    }
    while i < count, bytes[i].isDigit { i &+= 1 }
    return i
  }

  /// Sets the high bit of each byte that is not a digit. A carry corrupts only bytes after a set
  /// one, so the lowest set bit is exact.
  @inline(__always)
  private func nonDigits(_ word: UInt64) -> UInt64 {
    let values = word ^ 0x3030_3030_3030_3030
    return (values &+ 0x7676_7676_7676_7676 | values) & 0x8080_8080_8080_8080
  }

  func fault(_ reason: JSONFault.Reason, at index: Int) -> JSONFault {
    index < count ? JSONFault(byte: index, reason: reason) : unexpectedEnd
  }

  var unexpectedEnd: JSONFault { JSONFault(byte: count, reason: .unexpectedEnd) }
}

extension UInt8 {
  static var quote: UInt8 { UInt8(ascii: "\"") }
  static var backslash: UInt8 { UInt8(ascii: "\\") }
  static var slash: UInt8 { UInt8(ascii: "/") }
  static var openBrace: UInt8 { UInt8(ascii: "{") }
  static var closeBrace: UInt8 { UInt8(ascii: "}") }
  static var openBracket: UInt8 { UInt8(ascii: "[") }
  static var closeBracket: UInt8 { UInt8(ascii: "]") }
  static var comma: UInt8 { UInt8(ascii: ",") }
  static var colon: UInt8 { UInt8(ascii: ":") }
  static var dot: UInt8 { UInt8(ascii: ".") }
  static var minus: UInt8 { UInt8(ascii: "-") }
  static var plus: UInt8 { UInt8(ascii: "+") }
  static var zero: UInt8 { UInt8(ascii: "0") }

  @inline(__always)
  var isDigit: Bool { self &- .zero < 10 }

  @inline(__always)
  var isSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }

  @inline(__always)
  var isExponent: Bool { self | 0x20 == UInt8(ascii: "e") }

  var hexValue: UInt32? {
    if isDigit { return UInt32(self &- .zero) }
    let letter = (self | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? UInt32(letter) + 10 : nil
  }
}

extension UnsafeRawBufferPointer {
  @inline(__always)
  subscript(part range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[range])
  }
}
