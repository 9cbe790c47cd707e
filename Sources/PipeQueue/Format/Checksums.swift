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

/// The checksum in each name that gives the state of items: CRC32C (RFC 3720) of the name without
/// the checksum, as 8 lower-case hex digits. A name with one changed character is invalid.
struct NameChecksum: Equatable {
  private let value: UInt32

  static let width = 8

  /// Covers `prefix`, then the bytes of a name before and after its checksum.
  init(
    _ prefix: UnsafeRawBufferPointer, _ head: UnsafeRawBufferPointer,
    _ tail: UnsafeRawBufferPointer
  ) {
    var sum = cpipe_crc32c(0, prefix.baseAddress, prefix.count)
    sum = cpipe_crc32c(sum, head.baseAddress, head.count)
    value = cpipe_crc32c(sum, tail.baseAddress, tail.count)
  }

  init(_ head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer) {
    self.init(cut(head, 0, 0), head, tail)
  }

  init(_ bytes: UnsafeRawBufferPointer) { value = cpipe_crc32c(0, bytes.baseAddress, bytes.count) }

  init(_ head: String, _ tail: String = "") {
    var (head, tail) = (head, tail)
    let sum = head.withUTF8 { cpipe_crc32c(0, $0.baseAddress, $0.count) }
    value = tail.withUTF8 { cpipe_crc32c(sum, $0.baseAddress, $0.count) }
  }

  /// Whether the remainder of a name is exactly the checksum of everything before it.
  static func ends(_ name: UnsafeRawBufferPointer, _ pieces: inout FieldSplitter) -> Bool {
    guard let digits = pieces.next(before: dot), pieces.isAtEnd,
      let sum = NameChecksum(digits: digits)
    else { return false }
    return sum == NameChecksum(cut(name, 0, name.count - digits.count - 1))
  }

  /// nil unless `digits` is 8 lower-case hex digits.
  init?(digits: UnsafeRawBufferPointer) {
    guard digits.count == NameChecksum.width, let value = hex(digits) else { return nil }
    self.value = value
  }

  var text: String { hexText(value) }

  func write(to target: UnsafeMutablePointer<UInt8>) { writeHex(value, to: target) }
}

/// 8 lower-case hex digits.
func hexText(_ value: UInt32) -> String {
  String(unsafeUninitializedCapacity: 8) {
    writeHex(value, to: $0.baseAddress!)
    return 8
  }
}
