/// The length of the well-formed UTF-8 sequence at `index`, 0 if there is none. The table of
/// well-formed sequences is 3-7 of the Unicode Standard: the second byte alone keeps out overlong
/// forms, surrogates and values over U+10FFFF.
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

@inline(__always)
private func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

package func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var i = 0
  while i < bytes.count {
    if isASCIIWord(bytes, at: i) {
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
private func isASCIIWord(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Bool {
  guard index &+ 8 <= bytes.count else { return false }
  let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
  return word & 0x8080_8080_8080_8080 == 0
}

/// The largest cut not over `limit` that splits no code point of valid UTF-8.
package func utf8Prefix(_ bytes: UnsafeRawBufferPointer, atMost limit: Int) -> Int {
  if limit >= bytes.count { return bytes.count }
  var cut = max(limit, 0)
  while cut > 0, isContinuation(bytes[cut]) { cut -= 1 }
  return cut
}
