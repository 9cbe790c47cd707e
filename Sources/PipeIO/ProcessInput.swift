internal import CPipeIO
internal import Glibc

/// A worker's input, with exact byte counts: appended, written to the pipe, and read by the worker.
package final class WorkerInput {
  private var pipe: Descriptor?
  /// A read end of the same pipe, once the write end is closed: only for counting unread bytes.
  private var rest: Descriptor?
  private var bytes: [UInt8] = []
  private var start = 0
  private var isBlind = false
  /// Bytes written to the pipe so far.
  package private(set) var written = 0
  /// The worker has closed its end.
  package private(set) var isBroken = false

  /// Takes over the write end of a pipe.
  package init(_ pipe: Descriptor) {
    self.pipe = pipe
    enlargePipe(pipe.fd)
    _ = cpipe_set_nonblocking(pipe.fd)
  }

  /// nil once the worker was sent end of file.
  package var fd: Int32? { pipe?.fd }
  package var isEmpty: Bool { start == bytes.count }
  /// Offset of the next appended byte in the whole input.
  package var end: Int { written + bytes.count - start }

  /// Appends what `write` adds; `push` writes it to the pipe.
  package func append(_ write: (inout [UInt8]) -> Void) { write(&bytes) }

  /// Writes what fits now.
  package func push() throws(Fault) {
    guard let pipe else { return }
    while !isEmpty, !isBroken {
      let count = bytes.withUnsafeBytes { all in
        retryingInterrupts { Glibc.write(pipe.fd, all.baseAddress! + start, all.count - start) }
      }
      if count < 0, errno == EAGAIN { return }
      if count < 0, errno != EPIPE { throw Fault("write", pipe.path) }
      if count < 0 { return noteBroken() }
      written += count
      start += count
    }
    bytes.removeAll(keepingCapacity: bytes.count < 1 << 20)
    start = 0
  }

  package func noteBroken() {
    isBroken = true
    cut(at: written)
    finish()
  }

  /// Drops the bytes from offset `end` on that are not yet written. Bytes already in the pipe stay.
  package func cut(at end: Int) {
    bytes.removeLast(max(0, min(self.end - end, bytes.count - start)))
  }

  /// Sends the worker end of file.
  package func finish() {
    guard let pipe else { return }
    // Unread bytes are counted at a read end, which does not hide end of file from the worker.
    let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC
    let fd = cpipe_openat(AT_FDCWD, "/proc/self/fd/\(pipe.fd)", flags, 0)
    if fd >= 0 { rest = Descriptor(owning: fd, path: pipe.path) } else { isBlind = true }
    self.pipe = nil
  }

  /// Bytes that the worker has read. All written bytes count as read if the number cannot be known.
  package var taken: Int {
    guard !isBlind, let fd = pipe?.fd ?? rest?.fd else { return written }
    var unread: Int32 = 0
    return cpipe_unread_bytes(fd, &unread) == 0 ? written - Int(unread) : written
  }
}

extension Descriptor {
  /// Allocates `size` bytes of disk space for the file without writing. Returns whether it
  /// succeeded.
  package func allocate(_ size: Int) -> Bool {
    retryingInterrupts { fallocate(fd, 0, 0, size) } == 0
  }

  /// Allocates room among the file system's own records: `count` attributes of `size` bytes each.
  /// The file system decides where they go. Returns whether it succeeded.
  package func attach(_ count: Int, of size: Int) -> Bool {
    let bytes = [UInt8](repeating: 0, count: size)
    return (0..<count).allSatisfy { index in
      retryingInterrupts { fsetxattr(fd, "user.pipe.\(index)", bytes, size, 0) } == 0
    }
  }
}
