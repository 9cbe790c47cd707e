internal import Glibc
internal import PipeGateway
internal import PipeIO
internal import Synchronization

/// Lines for stderr. Logging never waits for the reader: lines that arrive faster than stderr takes
/// them are dropped and counted.
final class LogLines: Sendable {
  private struct Pending {
    var bytes: [UInt8] = []
    /// Lines that did not fit into `bytes`.
    var dropped = 0
  }

  private let pending = Mutex(Pending())
  private let worker: SerialWorker<LogWriter, LogLines>
  /// When lines not yet written are given up (`Clock.steady`).
  private let end = Atomic(Int64.max)

  /// Bytes that may wait to be written.
  private static let most = 4 << 20
  /// Microseconds that the reader has at the end.
  private static let patience: Int64 = 1_000_000

  init() throws(Fault) {
    worker = try SerialWorker(LogWriter()) { $1.first?.write(with: &$0) }
  }

  func put(_ line: String) {
    let isFirst = pending.withLock { pending in
      let isFirst = pending.bytes.isEmpty
      if pending.bytes.count + line.utf8.count < LogLines.most {
        pending.bytes += line.utf8
        pending.bytes.append(0x0a)
      } else {
        pending.dropped += 1
      }
      return isFirst
    }
    if isFirst { worker.put(self) }
  }

  private func write(with writer: inout LogWriter) {
    let taken = pending.withLock { pending in
      let taken = pending
      pending = Pending()
      return taken
    }
    writer.dropped += writer.write(taken.bytes, until: end) + taken.dropped
    guard writer.dropped > 0 else { return }
    let note =
      "pipe serve: \(writer.dropped) log lines were dropped: stderr is slow or full\n"
    if writer.write(Array(note.utf8), until: end) == 0 { writer.dropped = 0 }
  }

  /// Waits until the lines put before are written, or until the reader has taken nothing past
  /// `end`.
  func finish() {
    end.store(Clock.steady() + LogLines.patience, ordering: .relaxed)
    worker.finish()
  }
}

/// Writes to stderr without blocking on its reader.
struct LogWriter {
  /// Lines dropped and not yet reported.
  var dropped = 0
  /// Whether the last line was cut off.
  private var isTorn = false

  /// Writes lines; returns the number of lines it could not write.
  mutating func write(_ lines: [UInt8], until end: borrowing Atomic<Int64>) -> Int {
    let bytes = isTorn ? [0x0a] + lines : lines
    var done = 0
    while done < bytes.count {
      guard LogWriter.waitForRoom(until: end) else { break }
      // A pipe reported as writable takes this many bytes at once.
      let portion = min(bytes.count - done, Int(PIPE_BUF))
      let count = bytes.withUnsafeBytes { all in
        retryingInterrupts { Glibc.write(STDERR_FILENO, all.baseAddress! + done, portion) }
      }
      if count < 0, errno == EAGAIN { continue }
      if count < 0 { break }
      done += count
    }
    let left = bytes[max(done, bytes.count - lines.count)...]
    if done > 0 { isTorn = bytes[done - 1] != 0x0a }
    return left.count { $0 == 0x0a }
  }

  /// False: `end` has passed and stderr takes nothing.
  private static func waitForRoom(until end: borrowing Atomic<Int64>) -> Bool {
    while true {
      var entry = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
      if poll(&entry, 1, 100) != 0 { return true }
      if Clock.steady() > end.load(ordering: .relaxed) { return false }
    }
  }
}
