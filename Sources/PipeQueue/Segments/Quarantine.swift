internal import Glibc
internal import PipeIO

extension Queue {
  /// Keeps a copy of bytes of a segment that are not lines, and says so. The segment itself is not
  /// touched. A range that was kept before is not kept or reported again.
  /// Returns whether this is the first time.
  @discardableResult
  func quarantine(_ lane: Priority, _ segment: Int, _ bytes: Range<Int>) throws(Fault) -> Bool {
    let name = "\(lane.name).\(segment).\(bytes.lowerBound)-\(bytes.upperBound)"
    let place = "\(Segment.path(lane, segment)): byte \(bytes.lowerBound)"
    guard let file = try Segment.open(self, lane, segment) else { return false }
    let directory = try root.subdirectory(making: "quarantine")
    let kept: Int
    do throws(Fault) {
      let copy = try Descriptor.create(name, in: directory, O_WRONLY | O_EXCL)
      kept = try Queue.copy(file, bytes, to: copy)
    } catch {
      if error.code == EEXIST { return false }
      // Reading on matters more than the copy: the bytes are still in the segment.
      note("\(place): damaged, and could not be copied to quarantine/: \(error.text)")
      return true
    }
    note(
      "\(place): \(bytes.count) damaged bytes are skipped; \(kept) of them are in quarantine/\(name)"
    )
    return true
  }

  private static func copy(_ file: Descriptor, _ bytes: Range<Int>, to copy: Descriptor)
    throws(Fault) -> Int
  {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 8)
    defer { buffer.deallocate() }
    var at = bytes.lowerBound
    while at < bytes.upperBound {
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<min(buffer.count, bytes.upperBound - at)])
      let count = try file.read(into: piece, at: at)
      if count == 0 { break }
      try copy.write(
        UnsafeRawBufferPointer(rebasing: piece[..<count]), at: at - bytes.lowerBound)
      at += count
    }
    return at - bytes.lowerBound
  }
}
