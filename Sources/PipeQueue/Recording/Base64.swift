/// RFC 4648, section 4.
package enum Base64 {
  private static let alphabet: StaticString =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  package static func append(_ bytes: [UInt8], to out: inout [UInt8]) {
    let digits = alphabet.utf8Start
    out.reserveCapacity(out.count + (bytes.count + 2) / 3 * 4)
    var at = 0
    while at < bytes.count {
      let left = bytes.count - at
      let group =
        Int(bytes[at]) << 16 | (left > 1 ? Int(bytes[at + 1]) << 8 : 0)
        | (left > 2 ? Int(bytes[at + 2]) : 0)
      out.append(digits[group >> 18])
      out.append(digits[group >> 12 & 63])
      out.append(left > 1 ? digits[group >> 6 & 63] : 0x3d)
      out.append(left > 2 ? digits[group & 63] : 0x3d)
      at += 3
    }
  }

  /// nil for what is not of this form.
  static func bytes(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var padding = 0
    while padding < 2, padding < text.count, text[text.count - 1 - padding] == 0x3d { padding += 1 }
    var found: [UInt8] = []
    found.reserveCapacity(text.count / 4 * 3)
    var group = 0
    var wrong: UInt8 = 0
    for (position, byte) in text.enumerated() {
      let isPadding = position >= text.count - padding
      let digit = isPadding ? 0 : table[Int(byte)]
      wrong |= digit
      group = group << 6 | Int(digit & 63)
      guard position & 3 == 3 else { continue }
      found.append(UInt8(truncatingIfNeeded: group >> 16))
      found.append(UInt8(truncatingIfNeeded: group >> 8))
      found.append(UInt8(truncatingIfNeeded: group))
      group = 0
    }
    found.removeLast(padding)
    return wrong < 64 ? found : nil
  }

  // 64 and above: no digit.
  private static let table: [UInt8] = {
    var table = [UInt8](repeating: 0xff, count: 256)
    for value in 0..<64 { table[Int(alphabet.utf8Start[value])] = UInt8(value) }
    return table
  }()
}
