internal import Glibc
internal import PipeIO
internal import Synchronization

/// Writes to stderr without ever being stuck there.
struct LogWriter {
  /// Lines that are nowhere, and of which nothing was said yet.
  var dropped = 0
  /// Whether the last line was cut off.
  private var isTorn = false

  /// Writes lines; returns how many of them it could not.
  mutating func write(_ lines: [UInt8], until end: borrowing Atomic<Int64>) -> Int {
    let bytes = isTorn ? [0x0a] + lines : lines
    var done = 0
    while done < bytes.count {
      guard LogWriter.waitForRoom(until: end) else { break }
      // So much a pipe takes at once when it says that it has room.
      let portion = min(bytes.count - done, Int(PIPE_BUF))
      let count = bytes.withUnsafeBytes { all in
        uninterrupted { Glibc.write(STDERR_FILENO, all.baseAddress! + done, portion) }
      }
      if count < 0, errno == EAGAIN { continue }
      if count < 0 { break }
      done += count
    }
    let left = bytes[max(done, bytes.count - lines.count)...]
    if done > 0 { isTorn = bytes[done - 1] != 0x0a }
    return left.count { $0 == 0x0a }
  }

  /// false: at the end nobody takes anything.
  private static func waitForRoom(until end: borrowing Atomic<Int64>) -> Bool {
    while true {
      var entry = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
      if poll(&entry, 1, 100) != 0 { return true }
      if Clock.steady() > end.load(ordering: .relaxed) { return false }
    }
  }
}
