internal import Glibc
internal import PipeIO

/// What a client must know.
struct Token: Sendable {
  private let bytes: [UInt8]

  /// Of a file: its first line.
  init(file path: String) throws(Fault) {
    let number = uninterrupted { open(path, O_RDONLY | O_CLOEXEC) }
    if number < 0 { throw Fault("open", path) }
    let file = Descriptor(owning: number, path: path)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
    defer { buffer.deallocate() }
    let count = try file.read(into: buffer, at: 0)
    bytes = Array(buffer[..<count].prefix { $0 != 0x0a && $0 != 0x0d })
    guard bytes.count >= 16, bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw Fault(
        .settings,
        "\(printable(path)): holds no token: one line of 16 or more printable characters")
    }
  }

  /// In a time that does not tell how much of it was right.
  func permits(_ header: String?) -> Bool {
    guard let header, header.prefix(7).lowercased() == "bearer " else { return false }
    let given = Array(header.utf8.dropFirst(7))
    var difference = given.count ^ bytes.count
    for (index, byte) in bytes.enumerated() {
      difference |= Int(byte ^ (index < given.count ? given[index] : 0))
    }
    return difference == 0
  }
}
