internal import Glibc
package import PipeTime

extension Text {
  /// Skips a string whose first byte, after the opening quote, is at `start`. Returns the index
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

  /// The first index from `start` on of a quote, a backslash, a control byte or a non-ASCII byte;
  /// `count` if there is none.
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

  /// The number of bytes before the first special one among the 16 from `index`. Non-ASCII bytes
  /// are negative as signed bytes, so one comparison finds them and the control bytes. The types
  /// are explicit because a comparison with a scalar, or with an inferred type, runs lane by lane,
  /// thirty times slower.
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
  /// Skips the escape whose backslash is at `start`.
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

/// The UTF-8 bytes that a validated JSON string represents. `bytes` includes its quotes.
package func decodeString(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
  var out: [UInt8] = []
  out.reserveCapacity(bytes.count)
  appendDecoded(bytes, to: &out)
  return out
}

/// Appends the UTF-8 bytes that a validated JSON string represents. `bytes` includes its quotes.
package func appendDecoded(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
  let end = bytes.count - 1
  var i = 1
  while i < end, let found = memchr(bytes.baseAddress! + i, Int32(UInt8.backslash), end - i) {
    let escape = UnsafeRawPointer(found) - bytes.baseAddress!
    out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[i..<escape]))
    if bytes[escape + 1] == UInt8(ascii: "u") {
      i = appendUnicodeEscape(bytes, at: escape, to: &out)
    } else {
      out.append(unescaped(bytes[escape + 1]))
      i = escape + 2
    }
  }
  out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[i..<end]))
}

private func unescaped(_ letter: UInt8) -> UInt8 {
  switch letter {
  case UInt8(ascii: "b"): 0x08
  case UInt8(ascii: "f"): 0x0C
  case UInt8(ascii: "n"): 0x0A
  case UInt8(ascii: "r"): 0x0D
  case UInt8(ascii: "t"): 0x09
  default: letter
  }
}

/// Returns the index after the escape, or after the surrogate pair.
private func appendUnicodeEscape(
  _ bytes: UnsafeRawBufferPointer, at index: Int, to out: inout [UInt8]
) -> Int {
  let unit = codeUnit(bytes, at: index + 2)
  if unit & 0xFC00 != 0xD800 {
    appendUTF8(unit, to: &out)
    return index + 6
  }
  let low = codeUnit(bytes, at: index + 8)
  appendUTF8(0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF), to: &out)
  return index + 12
}

private func codeUnit(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt32 {
  bytes[index..<index + 4].reduce(0) { $0 << 4 | ($1.hexValue ?? 0) }
}

private func appendUTF8(_ value: UInt32, to out: inout [UInt8]) {
  guard let scalar = Unicode.Scalar(value) else { return }
  out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
}

/// Writes valid UTF-8 as a JSON string, with its quotes.
package func appendJSONString(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
  out.append(.quote)
  if isPlain(bytes) {
    out.append(contentsOf: bytes)
    return out.append(.quote)
  }
  var start = 0
  for i in bytes.indices where needsEscape(bytes[i]) {
    out.append(contentsOf: bytes[start..<i])
    appendEscape(bytes[i], to: &out)
    start = i + 1
  }
  out.append(contentsOf: bytes[start..<bytes.count])
  out.append(.quote)
}

/// Whether all bytes are printable ASCII other than quotes and backslashes, which stand for themselves in a
/// JSON string. For the types, see `specialOffset`.
private func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var i = 0
  while i &+ 16 <= bytes.count {
    let block = bytes.loadUnaligned(fromByteOffset: i, as: SIMD16<Int8>.self)
    let quotes = block .== SIMD16<Int8>(repeating: 0x22)
    let backslashes = block .== SIMD16<Int8>(repeating: 0x5C)
    let deletes = block .== SIMD16<Int8>(repeating: 0x7F)
    let others = block .< SIMD16<Int8>(repeating: 0x20)
    let hits = quotes .| backslashes .| deletes .| others
    let halves = unsafeBitCast(hits, to: SIMD2<UInt64>.self)
    if halves[0] | halves[1] != 0 { return false }
    i &+= 16
  }
  while i < bytes.count {
    if bytes[i] >= 0x80 || needsEscape(bytes[i]) { return false }
    i &+= 1
  }
  return true
}

@inline(__always)
private func needsEscape(_ byte: UInt8) -> Bool {
  byte < 0x20 || byte == .quote || byte == .backslash || byte == 0x7F
}

private func appendEscape(_ byte: UInt8, to out: inout [UInt8]) {
  out.append(.backslash)
  switch byte {
  case .quote, .backslash: out.append(byte)
  case 0x08: out.append(UInt8(ascii: "b"))
  case 0x09: out.append(UInt8(ascii: "t"))
  case 0x0A: out.append(UInt8(ascii: "n"))
  case 0x0C: out.append(UInt8(ascii: "f"))
  case 0x0D: out.append(UInt8(ascii: "r"))
  default: out.append(contentsOf: [UInt8(ascii: "u"), .zero, .zero, hex(byte >> 4), hex(byte)])
  }
}

private func hex(_ value: UInt8) -> UInt8 {
  let digit = value & 0xF
  return digit < 10 ? .zero + digit : UInt8(ascii: "A") + digit - 10
}

/// The length of the well-formed UTF-8 sequence at `index`, 0 if there is none. Follows table 3-7
/// (well-formed sequences) of the Unicode Standard: the second byte alone excludes overlong forms,
/// surrogates and values above U+10FFFF.
func sequenceLength(in bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
  let lead = bytes[index]
  if lead < 0x80 { return 1 }
  let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
  guard lead >= 0xC2, lead <= 0xF4, bytes.count &- index >= length else { return 0 }
  let low: UInt8 = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80
  let high: UInt8 = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF
  guard bytes[index &+ 1] >= low, bytes[index &+ 1] <= high else { return 0 }
  if length > 2, !isContinuation(bytes[index &+ 2]) { return 0 }
  if length > 3, !isContinuation(bytes[index &+ 3]) { return 0 }
  return length
}

/// Whether all bytes form well-formed UTF-8 sequences.
package func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var i = 0
  while i < bytes.count {
    if i &+ 8 <= bytes.count,
      bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    {
      i &+= 8
      continue
    }
    let length = sequenceLength(in: bytes, at: i)
    if length == 0 { return false }
    i &+= length
  }
  return true
}

@inline(__always)
private func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

/// Appends JSON fragments to bytes.
package enum JSONWriter {
  @inline(__always)
  package static func append(_ text: StaticString, to out: inout [UInt8]) {
    out.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// An instant as a quoted RFC 3339 time.
  package static func quotedTime(_ instant: Instant) -> [UInt8] {
    var time: [UInt8] = [0x22]
    appendDateTime(instant, to: &time)
    time.append(0x22)
    return time
  }
}
