internal import CPipeIO
internal import Glibc

/// The reader of stdout, where that is a pipe or a socket: it can go.
package struct OutputReader {
  /// nil where stdout has no reader that could go.
  package init?() {
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0,
      cpipe_is_pipe(&status) != 0 || cpipe_is_socket(&status) != 0,
      cpipe_is_read_only(STDOUT_FILENO) == 0
    else { return nil }
  }

  package var number: Int32 { STDOUT_FILENO }

  package var isGone: Bool {
    var entry = pollfd(fd: number, events: 0, revents: 0)
    return poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLERR | POLLHUP) != 0
  }
}
