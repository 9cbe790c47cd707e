import Glibc

/// Holds commands (`read go < gate`) until the test lets them continue.
final class Gate {
  private let number: Int32

  init(_ scratch: Scratch, _ name: String = "gate") throws {
    let path = scratch.path(name)
    guard mkfifo(path, 0o600) == 0 else { throw Failure("mkfifo \(path): \(errno)") }
    // Opened for reading and writing, so that neither side waits for the other to open it.
    number = open(path, O_RDWR | O_CLOEXEC)
  }

  /// Lets `count` commands continue, now or when they come.
  func letPass(_ count: Int = 1) {
    let newlines = [UInt8](repeating: 0x0a, count: count)
    _ = write(number, newlines, count)
  }

  deinit { close(number) }
}

/// Polls until the condition holds.
func wait(until condition: () throws -> Bool, _ what: String = "what was waited for") throws {
  let start = time(nil)
  while try !condition() {
    if time(nil) - start > 60 { throw Failure("\(what) did not come in a minute") }
    // Polling must not take the processor from the processes that work.
    usleep(500)
  }
}
