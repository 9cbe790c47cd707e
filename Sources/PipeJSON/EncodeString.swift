/// Writes valid UTF-8 as a JSON string, with its quotes.
package func appendJSONString(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
  out.append(.quote)
  var start = 0
  for i in bytes.indices where needsEscape(bytes[i]) {
    out.append(contentsOf: bytes[start..<i])
    appendEscape(bytes[i], to: &out)
    start = i + 1
  }
  out.append(contentsOf: bytes[start..<bytes.count])
  out.append(.quote)
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
