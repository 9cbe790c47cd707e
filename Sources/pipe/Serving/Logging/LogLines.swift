internal import Glibc
internal import PipeGateway
internal import PipeIO
internal import Synchronization

/// Lines for stderr. Whoever logs never waits for who reads them: what comes faster than it is taken is
/// dropped, and counted.
final class LogLines: Sendable {
  private let dropped = Mutex(0)
  private let desk = Desk<Void, String>(()) { _, lines in
    let output = Output(STDERR_FILENO, name: "stderr")
    for line in lines { output.append(line + "\n") }
    try? output.flush()
  }

  /// Lines that wait to be written.
  private static let most = 1 << 14

  func put(_ line: String) {
    let lost = dropped.withLock { dropped in
      let lost = dropped
      dropped = 0
      return lost
    }
    let note = lost > 0 ? "pipe serve: \(lost) lines of the log were dropped: stderr is slow\n" : ""
    if !desk.put(note + line, upTo: LogLines.most) { dropped.withLock { $0 += lost + 1 } }
  }

  /// Until what was put before is written.
  func finish() { desk.finish() }
}
