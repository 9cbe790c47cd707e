internal import CPipeIO
internal import Glibc

/// The writing end of a pipe, knowing how much of what was written its reader has taken.
package final class PipeOutput {
  private let descriptor: Descriptor
  private let capacity: Int32
  private var isShrunk = false
  /// Bytes handed to the pipe so far.
  package private(set) var written = 0
  package private(set) var isBroken = false

  /// nil where stdout is no pipe, or one that cannot be opened again: it is opened anew because only
  /// then can it be made non-blocking for this process alone.
  package init?() {
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0, cpipe_is_pipe(&status) != 0 else { return nil }
    let number = cpipe_openat(
      AT_FDCWD, "/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0)
    guard number >= 0 else { return nil }
    descriptor = Descriptor(owning: number, path: "stdout")
    capacity = cpipe_pipe_size(number)
  }

  package var number: Int32 { descriptor.number }

  /// Bytes that the reader has taken. Those that it never will, because it has gone, are not among them.
  package var taken: Int {
    var unread: Int32 = 0
    return cpipe_unread_bytes(number, &unread) == 0 ? written - Int(unread) : written
  }

  /// Hands over what fits now; returns how much that was.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> Int {
    let count = uninterrupted { Glibc.write(number, bytes.baseAddress, bytes.count) }
    if count >= 0 {
      written += count
      return count
    }
    if errno == EPIPE { isBroken = true } else if errno != EAGAIN { throw Fault("write", "stdout") }
    return 0
  }

  package func noteBroken() { isBroken = true }

  /// Makes the pipe so small that it is full with what it holds: then it becomes writable each time that
  /// the reader takes something, and the kernel wakes us for it.
  package func shrinkToContent() {
    isShrunk = true
    var size = sysconf(Int32(_SC_PAGESIZE))
    while size < Int(capacity), cpipe_resize_pipe(number, Int32(size)) < 0 { size *= 2 }
  }

  package func restore() {
    guard isShrunk else { return }
    isShrunk = false
    _ = cpipe_resize_pipe(number, capacity)
  }
}
