internal import CPipeIO
internal import Glibc

/// What a terminal shows at once, in character cells.
package struct TerminalSize: Equatable {
  package var columns: Int
  package var rows: Int

  package init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }

  /// The size of the terminal at stdout; nil if stdout is not a terminal. A terminal that does not
  /// know its size, such as a serial line, counts as 80 × 24.
  package static var ofOutput: TerminalSize? { of(STDOUT_FILENO) }

  static func of(_ fd: Int32) -> TerminalSize? {
    var size = winsize()
    guard isatty(fd) != 0 else { return nil }
    // A size that is not known stays 0.
    _ = ioctl(fd, UInt(TIOCGWINSZ), &size)
    return TerminalSize(
      columns: size.ws_col > 0 ? Int(size.ws_col) : 80,
      rows: size.ws_row > 0 ? Int(size.ws_row) : 24)
  }
}

/// Closes every descriptor except the standard three. Call it just before the process ends.
package func closeFiles() { cpipe_close_files() }

/// The controlling terminal of this process, if it has one.
package final class ControllingTerminal {
  private let fd = openFile("/dev/tty", O_RDONLY | O_NOCTTY)

  package init() {}

  /// Whether this process's group is in the foreground: it gets what is typed there.
  package var isOurs: Bool { fd >= 0 && tcgetpgrp(fd) == getpgrp() }

  deinit {
    if fd >= 0 { close(fd) }
  }
}

/// Processes that commands left behind when they ended. They become children of this process, so
/// that it can find them: they still hold what their command inherited.
package final class LeftBehind {
  private let children: Int32
  private var known: Set<Int32> = []

  package init() {
    cpipe_become_subreaper()
    let pid = getpid()
    children = cpipe_openat(
      AT_FDCWD, "/proc/self/task/\(pid)/children", O_RDONLY | O_CLOEXEC, 0)
  }

  /// Whether there are processes that did not exist at the last call. `running`: the commands that
  /// have not ended.
  package func hasMore(than running: [Int32]) -> Bool {
    guard cpipe_has_children() != 0 else {
      known.removeAll()
      return false
    }
    guard let all = list() else { return running.isEmpty }
    let others = all.subtracting(running)
    defer { known = others }
    return !others.isSubset(of: known)
  }

  // `4711 4712 `; nil if the system does not list children.
  private func list() -> Set<Int32>? {
    guard children >= 0 else { return nil }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = retryingInterrupts { pread(children, &buffer, buffer.count, text.count) }
      if count < 0 { return nil }
      if count == 0 { break }
      text += buffer[..<count]
    }
    return Set(
      text.split(separator: 0x20).compactMap { Int32(String(decoding: $0, as: UTF8.self)) })
  }

  deinit { if children >= 0 { close(children) } }
}
