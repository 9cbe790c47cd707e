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
