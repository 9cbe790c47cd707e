internal import CPipeIO
internal import Glibc

/// What a worker reads, byte by byte accounted for: what was put in, handed over, and taken.
package final class WorkerInput {
  private var pipe: Descriptor?
  /// Of the same pipe, once the end was handed over: only to ask how much is unread.
  private var rest: Descriptor?
  private var bytes: [UInt8] = []
  private var start = 0
  private var isBlind = false
  /// Bytes handed to the pipe so far.
  package private(set) var written = 0
  /// The worker has closed its end.
  package private(set) var isBroken = false

  /// Takes over the writing end of a pipe.
  package init(_ pipe: Descriptor) {
    self.pipe = pipe
    enlargePipe(pipe.number)
    _ = cpipe_set_nonblocking(pipe.number)
  }

  /// nil once the worker has been told that nothing more comes.
  package var number: Int32? { pipe?.number }
  package var isEmpty: Bool { start == bytes.count }
  /// Where the next byte that is put in will be, of all.
  package var end: Int { written + bytes.count - start }

  /// Puts in what `write` appends; `push` hands it over.
  package func append(_ write: (inout [UInt8]) -> Void) { write(&bytes) }

  /// Hands over what fits now.
  package func push() throws(Fault) {
    guard let pipe else { return }
    while !isEmpty, !isBroken {
      let count = bytes.withUnsafeBytes { all in
        retryingInterrupts { Glibc.write(pipe.number, all.baseAddress! + start, all.count - start) }
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

  /// Takes back what was put in and not handed over, from `end` on; what broke off there already is gone.
  package func cut(at end: Int) {
    bytes.removeLast(max(0, min(self.end - end, bytes.count - start)))
  }

  /// Tells the worker that nothing more comes.
  package func finish() {
    guard let pipe else { return }
    // The count of unread bytes is asked at a reading end, which keeps no worker from seeing the end.
    let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC
    let number = cpipe_openat(AT_FDCWD, "/proc/self/fd/\(pipe.number)", flags, 0)
    if number >= 0 { rest = Descriptor(owning: number, path: pipe.path) } else { isBlind = true }
    self.pipe = nil
  }

  /// Bytes that the worker has taken. Where that cannot be known it counts as all.
  package var taken: Int {
    guard !isBlind, let number = pipe?.number ?? rest?.number else { return written }
    var unread: Int32 = 0
    return cpipe_unread_bytes(number, &unread) == 0 ? written - Int(unread) : written
  }
}

extension Descriptor {
  /// Takes `size` bytes of the disk for the file, and nothing is written. Returns whether it got them.
  package func allocate(_ size: Int) -> Bool {
    retryingInterrupts { fallocate(number, 0, 0, size) } == 0
  }

  /// Takes room among the file system's own records: so many attributes of so many bytes, which is all that
  /// can be said here of where they go. Returns whether it got them.
  package func attach(_ count: Int, of size: Int) -> Bool {
    let bytes = [UInt8](repeating: 0, count: size)
    return (0..<count).allSatisfy { index in
      retryingInterrupts { fsetxattr(number, "user.pipe.\(index)", bytes, size, 0) } == 0
    }
  }
}
