internal import CPipeIO

/// Returns the text after the checksum and the space, or nil if the checksum is wrong. `text` is a
/// line without its newline.
func checked(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
  guard text.count > 9, let sum = hex(cut(text, 0, 8)),
    sum == cpipe_crc32c(0, text.baseAddress! + 8, text.count - 8)
  else { return nil }
  return cut(text, 9, text.count)
}
