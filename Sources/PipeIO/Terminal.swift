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
