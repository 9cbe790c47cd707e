import Glibc

/// A fifo between a test and the commands it starts: it holds commands (`read go < gate`) until the
/// test lets them continue, or the test until a command has come so far (`echo > gate`).
package final class Gate {
  private let number: Int32

  package init(_ scratch: Scratch, _ name: String = "gate") throws {
    let path = scratch.path(name)
    guard mkfifo(path, 0o600) == 0 else { throw Failure("mkfifo \(path): \(errno)") }
    // Opened for reading and writing, so that neither side waits for the other to open it.
    number = open(path, O_RDWR | O_CLOEXEC)
  }

  /// Lets `count` commands continue, now or when they come.
  package func letPass(_ count: Int = 1) {
    let newlines = [UInt8](repeating: 0x0a, count: count)
    _ = write(number, newlines, count)
  }

  /// Waits for a line that a command writes; returns it without its newline.
  package func line() throws -> String {
    var (bytes, byte) = ([UInt8](), UInt8())
    var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    while true {
      guard poll(&entry, 1, Patience.milliseconds) == 1, read(number, &byte, 1) == 1 else {
        throw Failure("no command wrote a line to the gate")
      }
      if byte == 0x0a { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
  }

  deinit { close(number) }
}
