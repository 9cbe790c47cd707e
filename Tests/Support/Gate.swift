import Glibc

/// Holds commands (`read go < gate`) until the test lets them continue.
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

  deinit { close(number) }
}
