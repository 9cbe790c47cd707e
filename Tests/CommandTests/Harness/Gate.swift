import Glibc

/// Where commands wait (`read go < gate`) until the test lets them go on.
final class Gate {
  private let number: Int32

  init(_ scratch: Scratch, _ name: String = "gate") throws {
    let path = scratch.path(name)
    guard mkfifo(path, 0o600) == 0 else { throw Failure("mkfifo \(path): \(errno)") }
    // For both, so that nobody waits for the other side to open it.
    number = open(path, O_RDWR | O_CLOEXEC)
  }

  /// Lets so many go on, now or when they come.
  func letPass(_ count: Int = 1) {
    let newlines = [UInt8](repeating: 0x0a, count: count)
    _ = write(number, newlines, count)
  }

  deinit { close(number) }
}

/// Looks until it is so.
func wait(until condition: () throws -> Bool, _ what: String = "what was waited for") throws {
  let start = time(nil)
  while try !condition() {
    if time(nil) - start > 60 { throw Failure("\(what) did not come in a minute") }
    // Others need the processor more than who only looks.
    usleep(500)
  }
}
