internal import CPipeIO
internal import Glibc

/// The stderr of commands, one after another: a pipe whose read end stays in this process.
/// Everything written is forwarded; the last 4 KiB are kept for the dead letter.
///
/// Both ends stay open while this lives, so that a process that a command left behind can continue
/// to write. A command inherits the pipe only as descriptor 2.
package final class StderrCapture {
  private let reading: Descriptor
  private let writing: Descriptor
  private let output: NonblockingStderr
  private var last: [UInt8] = []
  private let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: StderrCapture.portion, alignment: 8)

  /// Bytes that a dead letter keeps.
  private static let kept = 4096
  /// Bytes read at once: the capacity of the pipe.
  private static let portion = 1 << 16

  package init(_ output: NonblockingStderr) throws(Fault) {
    (reading, writing) = try makePipe("stderr of the command")
    _ = cpipe_set_nonblocking(reading.number)
    self.output = output
  }

  package var readingNumber: Int32 { reading.number }
  package var writingNumber: Int32 { writing.number }

  /// Forwards what the pipe holds, without waiting. Reads once, because a process may write without
  /// end.
  package func pump() {
    let count = retryingInterrupts { read(reading.number, buffer.baseAddress, buffer.count) }
    guard count > 0 else { return }
    let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    output.append(piece)
    last.append(contentsOf: piece.suffix(StderrCapture.kept))
    if last.count > StderrCapture.kept { last.removeFirst(last.count - StderrCapture.kept) }
  }

  /// Call it when a command has ended: reads the rest of its output and returns the last 4 KiB. The
  /// next command starts with none.
  package func takeTail() -> [UInt8] {
    pump()
    defer { last.removeAll(keepingCapacity: true) }
    return last
  }

  deinit { buffer.deallocate() }
}

/// A pipe with both ends close-on-exec. `name`: for messages.
package func makePipe(
  _ name: String
) throws(Fault) -> (reading: Descriptor, writing: Descriptor) {
  var ends: [Int32] = [-1, -1]
  if cpipe_pipe(&ends) != 0 { throw Fault("create a pipe", name) }
  return (Descriptor(owning: ends[0], path: name), Descriptor(owning: ends[1], path: name))
}

/// The reader of stdout, if stdout is a pipe or a socket: it can close.
package struct OutputReader {
  /// nil if stdout has no reader that can close.
  package init?() {
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0,
      cpipe_is_pipe(&status) != 0 || cpipe_is_socket(&status) != 0,
      cpipe_is_read_only(STDOUT_FILENO) == 0
    else { return nil }
  }

  package var number: Int32 { STDOUT_FILENO }

  package var isGone: Bool {
    var entry = pollfd(fd: number, events: 0, revents: 0)
    return poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLERR | POLLHUP) != 0
  }
}
