internal import CPipeIO

/// The checksum that stands in each name that says something of items: CRC32C (RFC 3720) of the name
/// without it, as 8 lower-case hex digits. A name with one changed character is no name.
struct NameChecksum: Equatable {
  private let value: UInt32

  static let width = 8

  /// Of a name, in the pieces before and behind its checksum.
  init(_ pieces: UnsafeRawBufferPointer...) {
    value = pieces.reduce(0) { cpipe_crc32c($0, $1.baseAddress, $1.count) }
  }

  init(_ head: String, _ tail: String = "") {
    var (head, tail) = (head, tail)
    let sum = head.withUTF8 { cpipe_crc32c(0, $0.baseAddress, $0.count) }
    value = tail.withUTF8 { cpipe_crc32c(sum, $0.baseAddress, $0.count) }
  }

  /// nil for anything but 8 digits.
  init?(digits: UnsafeRawBufferPointer) {
    guard digits.count == NameChecksum.width, let value = hex(digits) else { return nil }
    self.value = value
  }

  var text: String { hexText(value) }
}

/// 8 lower-case hex digits.
func hexText(_ value: UInt32) -> String {
  String(unsafeUninitializedCapacity: 8) {
    writeHex(value, to: $0.baseAddress!)
    return 8
  }
}
