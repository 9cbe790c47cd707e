internal import Glibc
internal import PipeIO

extension Directory {
  /// The history in a file; empty if the file cannot be read, because the history only informs.
  func history(_ name: String) -> [UInt8] {
    guard let file = try? Descriptor.open(name, in: self, O_RDONLY) else { return [] }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: History.most, alignment: 8)
    defer { buffer.deallocate() }
    guard let count = try? file.read(into: buffer, at: 0), count > 0 else { return [] }
    return Array(buffer[..<count])
  }

  /// Appends to the history in a file, or empties it first. A failure is ignored: a full disk must
  /// not keep an item from being settled.
  func note(_ bytes: [UInt8], in name: String, replacing: Bool) {
    if isShortOfRoom { return }
    let flags = O_WRONLY | (replacing ? O_TRUNC : O_APPEND)
    guard let file = try? Descriptor.open(name, in: self, flags) else { return }
    try? file.append(bytes)
  }
}
