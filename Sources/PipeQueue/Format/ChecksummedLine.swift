internal import CPipeIO

// A line that begins with the CRC32C (RFC 3720) of all that follows, as 8 lower-case hex digits.

/// Writes the checksum into the first 8 bytes of a line. `count`: bytes of the line without its newline.
func writeChecksum(to line: UnsafeMutablePointer<UInt8>, count: Int) {
  writeHex(cpipe_crc32c(0, line + 8, count - 8), to: line)
}

extension [UInt8] {
  /// Writes the checksum of the line that begins at `start` and ends with the array.
  mutating func fillChecksum(from start: Int) {
    withUnsafeMutableBufferPointer {
      writeChecksum(to: $0.baseAddress! + start, count: $0.count - start)
    }
  }
}

/// Returns the text after the checksum and the space, or nil if the checksum is wrong. `text` is a
/// line without its newline.
func checked(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
  guard text.count > 9, let sum = hex(cut(text, 0, 8)),
    sum == cpipe_crc32c(0, text.baseAddress! + 8, text.count - 8)
  else { return nil }
  return cut(text, 9, text.count)
}
