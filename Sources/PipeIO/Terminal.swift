internal import CPipeIO
internal import Glibc

/// Columns of the terminal at stdout; nil where there is none, or it does not say.
package var terminalColumns: Int? {
  var size = winsize()
  guard isatty(STDOUT_FILENO) != 0, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0,
    size.ws_col > 0
  else { return nil }
  return Int(size.ws_col)
}

/// Before the end of the process.
package func closeFiles() { cpipe_close_files() }

/// The terminal that this process was started from, if there is one.
package final class ControllingTerminal {
  private let number = openFile("/dev/tty", O_RDONLY | O_NOCTTY)

  package init() {}

  /// Whether what is typed there is for this process and those of its group.
  package var isOurs: Bool { number >= 0 && tcgetpgrp(number) == getpgrp() }

  deinit {
    if number >= 0 { close(number) }
  }
}
