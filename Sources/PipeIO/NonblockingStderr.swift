internal import CPipeIO
internal import Glibc

/// Stderr of a process that must not wait for its reader: output that does not fit is kept for
/// later, in order. Output that cannot be written at all (closed, full disk, reader gone) is
/// dropped.
package final class NonblockingStderr {
  private var bytes: [UInt8] = []
  private var start = 0
  /// Stderr, reopened if it is a pipe and reopening is permitted: only then can it be made
  /// non-blocking for this process alone. Otherwise it is written in small portions, when it has
  /// room.
  private lazy var own: Int32? = {
    var status = stat()
    guard fstat(STDERR_FILENO, &status) == 0, cpipe_is_pipe(&status) != 0 else { return nil }
    let flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC
    let number = cpipe_openat(AT_FDCWD, "/proc/self/fd/2", flags, 0)
    return number < 0 ? nil : number
  }()

  /// Buffered bytes at which the caller should stop reading from its writers: a pipe's usual size.
  private static let room = 1 << 16

  package init() {}

  package var number: Int32 { STDERR_FILENO }
  /// Buffered bytes.
  package var waiting: Int { bytes.count - start }
  package var isEmpty: Bool { waiting == 0 }
  package var hasRoom: Bool { waiting < NonblockingStderr.room }

  package func append(_ more: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: more)
    push()
  }

  /// Writes a message line.
  package func say(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Writes what fits now.
  package func push() {
    while !isEmpty {
      let count = write()
      if count < 0, errno == EAGAIN { return }
      start = count < 0 ? bytes.count : start + count
    }
    bytes.removeAll(keepingCapacity: true)
    start = 0
  }

  private func write() -> Int {
    if own == nil {
      var poll = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
      if Glibc.poll(&poll, 1, 0) == 0 {
        errno = EAGAIN
        return -1
      }
    }
    return bytes.withUnsafeBytes { all in
      let portion = min(all.count - start, own == nil ? Int(PIPE_BUF) : .max)
      return retryingInterrupts { Glibc.write(own ?? number, all.baseAddress! + start, portion) }
    }
  }

  deinit {
    if let own { close(own) }
  }
}
