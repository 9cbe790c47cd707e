internal import CPipeIO
internal import Glibc

/// What commands have as stderr, one after the other: a pipe whose other end is here. All that is
/// written is passed on; the last of it is kept for the dead letter.
///
/// Both ends stay open while this lives, so that whoever a command left behind can go on writing. Neither
/// is inherited but as descriptor 2.
package final class ErrorPipe {
  private let reading: Descriptor
  private let writing: Descriptor
  private let output: ErrorOutput
  private var last: [UInt8] = []
  private let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: ErrorPipe.portion, alignment: 8)

  /// Bytes that a dead letter keeps.
  private static let kept = 4096
  /// Bytes taken at once: as many as the pipe holds.
  private static let portion = 1 << 16

  package init(_ output: ErrorOutput) throws(Fault) {
    (reading, writing) = try makePipe("stderr of the command")
    _ = cpipe_set_nonblocking(reading.number)
    self.output = output
  }

  package var readingNumber: Int32 { reading.number }
  package var writingNumber: Int32 { writing.number }

  /// Passes on what is there, without waiting. Once: who writes without end must not keep us here.
  package func pump() {
    let count = uninterrupted { read(reading.number, buffer.baseAddress, buffer.count) }
    guard count > 0 else { return }
    let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    output.append(piece)
    last.append(contentsOf: piece.suffix(ErrorPipe.kept))
    if last.count > ErrorPipe.kept { last.removeFirst(last.count - ErrorPipe.kept) }
  }

  /// A command has ended: takes what is left of what it wrote, and returns the last 4 KiB. The next
  /// command begins with nothing.
  package func takeTail() -> [UInt8] {
    pump()
    defer { last.removeAll(keepingCapacity: true) }
    return last
  }

  deinit { buffer.deallocate() }
}

/// A pipe, both ends close-on-exec. `name`: for messages.
package func makePipe(
  _ name: String
) throws(Fault) -> (reading: Descriptor, writing: Descriptor) {
  var ends: [Int32] = [-1, -1]
  if cpipe_pipe(&ends) != 0 { throw Fault("make a pipe for", name) }
  return (Descriptor(owning: ends[0], path: name), Descriptor(owning: ends[1], path: name))
}
