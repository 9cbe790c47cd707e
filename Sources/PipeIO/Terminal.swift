internal import CPipeIO
internal import Glibc

/// Columns of the terminal at stdout; nil if stdout is not a terminal or its width is unknown.
package var terminalColumns: Int? {
  var size = winsize()
  guard isatty(STDOUT_FILENO) != 0, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0,
    size.ws_col > 0
  else { return nil }
  return Int(size.ws_col)
}

/// Closes every descriptor except the standard three. Call it just before the process ends.
package func closeFiles() { cpipe_close_files() }

/// The controlling terminal of this process, if it has one.
package final class ControllingTerminal {
  private let number = openFile("/dev/tty", O_RDONLY | O_NOCTTY)

  package init() {}

  /// Whether this process's group is in the foreground: it gets what is typed there.
  package var isOurs: Bool { number >= 0 && tcgetpgrp(number) == getpgrp() }

  deinit {
    if number >= 0 { close(number) }
  }
}

/// Processes that commands left behind when they ended. They become children of this process, so
/// that it can find them: they still hold what their command inherited.
package final class LeftBehind {
  private let children: Int32
  private var known: Set<Int32> = []

  package init() {
    cpipe_become_subreaper()
    let number = getpid()
    children = cpipe_openat(
      AT_FDCWD, "/proc/self/task/\(number)/children", O_RDONLY | O_CLOEXEC, 0)
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
