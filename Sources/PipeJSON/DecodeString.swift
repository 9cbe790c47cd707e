/// The UTF-8 bytes that a validated JSON string, given with its quotes, stands for.
package func decodeString(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
  var out: [UInt8] = []
  out.reserveCapacity(bytes.count)
  var i = 1
  while let escape = bytes[i..<bytes.count - 1].firstIndex(of: .backslash) {
    out.append(contentsOf: bytes[i..<escape])
    if bytes[escape + 1] == UInt8(ascii: "u") {
      i = appendUnicodeEscape(bytes, at: escape, to: &out)
    } else {
      out.append(unescaped(bytes[escape + 1]))
      i = escape + 2
    }
  }
  out.append(contentsOf: bytes[i..<bytes.count - 1])
  return out
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

/// Returns the place after the escape, or after the pair of them.
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
