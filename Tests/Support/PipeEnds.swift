package import Glibc

/// The reading end of a pipe.
package final class PipeReader {
  private var number: Int32?
  /// All bytes so far.
  package private(set) var taken: [UInt8] = []
  private var given = 0

  init(_ number: Int32?) { self.number = number }

  package var isAtEnd: Bool { number == nil }

  /// For poll(2).
  package var entry: pollfd { pollfd(fd: number ?? -1, events: Int16(POLLIN), revents: 0) }

  /// The next complete line that was read and not returned yet.
  package func line() -> String? {
    guard let end = taken[given...].firstIndex(of: 0x0a) else { return nil }
    defer { given = end + 1 }
    return String(decoding: taken[given..<end], as: UTF8.self)
  }

  /// All such lines.
  package func linesAtHand() -> [String] {
    guard let end = taken[given...].lastIndex(of: 0x0a) else { return [] }
    defer { given = end + 1 }
    return completeLines(Array(taken[given...end]))
  }

  /// Reads once; blocks if nothing is there.
  package func take(atMost limit: Int = 1 << 16) {
    guard let number else { return }
    let before = taken.count
    taken += [UInt8](repeating: 0, count: limit)
    let count = taken.withUnsafeMutableBytes { read(number, $0.baseAddress! + before, limit) }
    let failure = errno
    taken.removeLast(limit - max(0, count))
    if count == 0 || count < 0 && failure != EINTR { close() }
  }

  /// Closes the pipe and discards the rest.
  package func close() {
    if let number { Glibc.close(number) }
    number = nil
  }

  deinit { close() }
}

/// The writing end of a pipe. Its bytes go out when there is room for them.
final class PipeWriter {
  private var number: Int32?
  private(set) var given: [UInt8] = []
  private var sent = 0
  private var isOver = false

  init(_ number: Int32?) {
    self.number = number
    if let number { _ = fcntl(number, F_SETFL, O_NONBLOCK) }
  }

  /// For poll(2), while bytes are left.
  var entry: pollfd {
    pollfd(fd: sent < given.count ? number ?? -1 : -1, events: Int16(POLLOUT), revents: 0)
  }

  func append(_ bytes: [UInt8]) {
    given += bytes
    flush()
  }

  /// Closes the pipe once all is written.
  func end() {
    isOver = true
    flush()
  }

  /// Writes what there is room for.
  func flush() {
    guard let number else { return }
    if sent < given.count {
      let count = given.withUnsafeBytes { write(number, $0.baseAddress! + sent, $0.count - sent) }
      if count > 0 { sent += count } else if errno == EPIPE { close() }
    }
    if isOver, sent == given.count { close() }
  }

  func close() {
    if let number { Glibc.close(number) }
    number = nil
  }

  deinit { close() }
}
