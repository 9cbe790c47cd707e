internal import PipeGateway
internal import PipeIO
internal import Synchronization

/// Lines for stderr. Whoever logs never waits for who reads them: what comes faster than it is taken is
/// dropped, and counted.
final class LogLines: Sendable {
  private struct Pending {
    var bytes: [UInt8] = []
    /// Lines that found no room behind them.
    var dropped = 0
  }

  private let pending = Mutex(Pending())
  private let desk: Desk<LogWriter, LogLines>
  /// When what is not written by then is given up (`Clock.steady`).
  private let end = Atomic(Int64.max)

  /// Bytes that wait to be written.
  private static let most = 4 << 20
  /// How long, at the end, who reads may take. Microseconds.
  private static let patience: Int64 = 1_000_000

  init() throws(Fault) {
    desk = try Desk(LogWriter()) { $1.first?.write(with: &$0) }
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
    if isFirst { desk.put(self) }
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
      "pipe serve: \(writer.dropped) lines of the log were dropped: stderr is slow or full\n"
    if writer.write(Array(note.utf8), until: end) == 0 { writer.dropped = 0 }
  }

  /// Until what was put before is written, or nobody takes it.
  func finish() {
    end.store(Clock.steady() + LogLines.patience, ordering: .relaxed)
    desk.finish()
  }
}
