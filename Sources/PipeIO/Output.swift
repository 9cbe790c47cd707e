internal import CPipeIO
internal import Glibc

/// Buffered output to a descriptor, written in large pieces when the caller flushes.
package final class Output {
  package let fd: Int32
  private let name: String
  package var bytes: [UInt8] = []

  /// Standard output.
  package convenience init() { self.init(STDOUT_FILENO, name: "stdout") }

  package init(_ fd: Int32, name: String) {
    self.fd = fd
    self.name = name
  }

  package func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  package func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  package func append(_ raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }

  /// Writes all buffered bytes. If the reader has closed the descriptor, throws a fault with code
  /// EPIPE.
  package func flush() throws(Fault) {
    var written = 0
    try flush(written: &written)
  }

  /// The same; `written` counts the bytes written before a fault.
  package func flush(written: inout Int) throws(Fault) {
    defer { bytes.removeAll(keepingCapacity: true) }
    ProgressLine.erase(beforeWritingTo: fd)
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { all in
        retryingInterrupts { Glibc.write(fd, all.baseAddress! + written, all.count - written) }
      }
      if count < 0 {
        if errno == EAGAIN {
          waitForRoom()
          continue
        }
        throw Fault("write", name)
      }
      written += count
    }
  }

  /// What this writes to. `mayBlock`: whether writing can block indefinitely: true for a terminal, a
  /// pipe or a socket, false for a regular file or /dev/null.
  package var target: (isRegularFile: Bool, mayBlock: Bool) {
    var status = stat()
    guard fstat(fd, &status) == 0 else { return (false, false) }
    if cpipe_is_regular(&status) != 0 { return (true, false) }
    return (false, cpipe_is_character_device(&status) == 0 || isatty(fd) != 0)
  }

  /// Removes the last `count` bytes from a file, unless another process has written after them.
  package func takeBack(_ count: Int) {
    var status = stat()
    let end = lseek(fd, 0, SEEK_CUR)
    guard count > 0, fstat(fd, &status) == 0, status.st_size == end else { return }
    if ftruncate(fd, end - count) == 0 { lseek(fd, end - count, SEEK_SET) }
  }

  // A shell may pass a non-blocking descriptor.
  private func waitForRoom() {
    var poll = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
    _ = Glibc.poll(&poll, 1, -1)
  }
}

/// Sets a pipe's capacity to 1 MiB. Harmless if it is not a pipe or the system refuses.
package func enlargePipe(_ fd: Int32) {
  _ = cpipe_resize_pipe(fd, 1 << 20)
}

/// The words of the command line, starting with the program's name.
package let commandLine: [String] = (0..<Int(cpipe_argument_count())).map {
  String(system: cpipe_arguments()[$0]!)
}

/// Replaces this process by a program with the same words. `path`: looked for in PATH if it has no
/// slash. Returns if it cannot be executed.
package func continueAs(_ path: String) {
  _ = path.withSystemText { execvp($0, cpipe_arguments()) }
}

/// The words after the first `--`, byte for byte.
package var commandBytes: [[UInt8]] {
  commandWords().map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
}

func commandWords() -> [UnsafePointer<CChar>] {
  let words = (0..<Int(cpipe_argument_count())).map { UnsafePointer(cpipe_arguments()[$0]!) }
  guard let end = words.firstIndex(where: { strcmp($0, "--") == 0 }) else { return [] }
  return Array(words[(end + 1)...])
}

/// Restores the environment that this process was started with. Call it before starting a child.
package func restoreEnvironment() { cpipe_restore_environment() }

/// If a standard descriptor is closed, the next file opened would get its number, and data meant
/// for the descriptor would end up in that file. Opens in its place a descriptor that fails as a
/// closed one does.
package func occupyStandardDescriptors() {
  guard cpipe_lacks_standard_descriptors() != 0 else { return }
  for fd in STDIN_FILENO...STDERR_FILENO where fcntl(fd, F_GETFD) < 0 {
    _ = cpipe_openat(AT_FDCWD, "/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY, 0)
  }
}

/// Writes a line to stderr unchanged, in place of the progress line if there is one. A failure cannot
/// be reported.
package func complain(_ line: String, newline: Bool = true) {
  ProgressLine.erase()
  writeToErrors(line + (newline ? "\n" : ""))
}

func writeToErrors(_ text: String) {
  var text = text
  text.withUTF8 { bytes in
    var done = 0
    while done < bytes.count {
      let count = retryingInterrupts {
        Glibc.write(STDERR_FILENO, bytes.baseAddress! + done, bytes.count - done)
      }
      if count <= 0 { return }
      done += count
    }
  }
}
