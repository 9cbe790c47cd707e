internal import CPipeIO
internal import Glibc

/// Stdout or stderr of a process that must not wait for its reader: output that does not fit is kept
/// for later, in order. Output that cannot be written at all (closed, full disk, reader gone) is
/// dropped.
package final class NonblockingWriter {
  package let fd: Int32
  private var bytes: [UInt8] = []
  private var start = 0
  /// What follows `bytes`.
  private var next: [Chunk] = []
  /// The stream, reopened if it is a pipe and reopening is permitted: only then can it be made
  /// non-blocking for this process alone. Otherwise it is written in small portions, when it has
  /// room.
  private lazy var own: Int32? = {
    var status = stat()
    guard fstat(fd, &status) == 0, cpipe_is_pipe(&status) != 0 else { return nil }
    let flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC
    let own = cpipe_openat(AT_FDCWD, "/proc/self/fd/\(fd)", flags, 0)
    return own < 0 ? nil : own
  }()

  private enum Chunk {
    case bytes([UInt8])
    /// An unnamed file, from this offset on.
    case file(Descriptor, Int)
  }

  /// Buffered bytes at which the caller should stop reading from its writers: a pipe's usual size.
  private static let room = 1 << 16

  /// `fd`: STDOUT_FILENO or STDERR_FILENO.
  package init(_ fd: Int32) { self.fd = fd }

  /// Bytes that the reader has taken or that were dropped.
  package private(set) var written = 0
  /// Buffered bytes.
  private var waiting: Int { bytes.count - start }
  package var isEmpty: Bool { waiting == 0 && next.isEmpty }
  package var hasRoom: Bool { waiting < NonblockingWriter.room && next.isEmpty }

  package func append(_ more: UnsafeRawBufferPointer) {
    if next.isEmpty {
      bytes.append(contentsOf: more)
    } else if case .bytes(var last)? = next.last {
      last.append(contentsOf: more)
      next[next.count - 1] = .bytes(last)
    } else {
      next.append(.bytes(Array(more)))
    }
    push()
  }

  /// Appends the contents of a file.
  package func append(_ file: Descriptor) {
    next.append(.file(file, 0))
    push()
  }

  /// Writes a message line.
  package func say(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Writes what fits now.
  package func push() {
    while true {
      while waiting > 0 {
        let count = write()
        if count < 0, errno == EAGAIN { return }
        let end = count < 0 ? bytes.count : start + count
        written += end - start
        start = end
      }
      bytes.removeAll(keepingCapacity: true)
      start = 0
      guard advance() else { return }
    }
  }

  // Fills `bytes` from the next chunk; false if there is none.
  private func advance() -> Bool {
    switch next.first {
    case nil: return false
    case .bytes(let all):
      bytes = all
      next.removeFirst()
    case .file(let file, let offset):
      bytes = [UInt8](repeating: 0, count: NonblockingWriter.room)
      let count = bytes.withUnsafeMutableBytes { buffer in
        retryingInterrupts { pread(file.fd, buffer.baseAddress, buffer.count, offset) }
      }
      bytes.removeLast(bytes.count - max(0, count))
      if count > 0 { next[0] = .file(file, offset + count) } else { next.removeFirst() }
    }
    return true
  }

  private func write() -> Int {
    ProgressLine.erase(beforeWritingTo: fd)
    if own == nil {
      var poll = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
      if Glibc.poll(&poll, 1, 0) == 0 {
        errno = EAGAIN
        return -1
      }
    }
    return bytes.withUnsafeBytes { all in
      let portion = min(all.count - start, own == nil ? Int(PIPE_BUF) : .max)
      return retryingInterrupts { Glibc.write(own ?? fd, all.baseAddress! + start, portion) }
    }
  }

  deinit {
    if let own { close(own) }
  }
}
