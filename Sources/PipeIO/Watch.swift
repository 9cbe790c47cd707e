internal import CPipeIO
internal import Glibc

/// Reports names that appear in directories, and files in them that a writer closes (inotify). If
/// inotify is not available it ticks instead, and each tick is a reason to check.
package final class Watch {
  package private(set) var fd: Int32
  private(set) var isBlind = false
  private let report: (String) -> Void
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 8)

  /// Milliseconds between ticks.
  private static let pause = 200

  /// `report`: called with the reason for ticking and the remedy.
  package init(_ report: @escaping (String) -> Void) throws(Fault) {
    self.report = report
    fd = cpipe_inotify()
    if fd < 0 { try tick(errno, "inotify: cannot start") }
  }

  /// Watches for names that are renamed into `directory` or removed from it.
  package func changes(in directory: Directory) throws(Fault) {
    try add(directory, UInt32(IN_MOVED_TO) | UInt32(IN_DELETE))
  }

  /// Watches for files in `directory` that are closed after being open for writing.
  package func closings(in directory: Directory) throws(Fault) {
    try add(directory, UInt32(IN_CLOSE_WRITE))
  }

  /// Watches for reads from a file or pipe.
  func reads(of file: Descriptor) throws(Fault) {
    if isBlind || add(file.fd, UInt32(IN_ACCESS)) { return }
    try tick(errno, "\(printable(file.path)): cannot watch")
  }

  /// Watches for readers that close a pipe.
  func closings(of pipe: Descriptor) throws(Fault) {
    if isBlind || add(pipe.fd, UInt32(IN_CLOSE_NOWRITE)) { return }
    try tick(errno, "\(printable(pipe.path)): cannot watch")
  }

  private func add(_ directory: Directory, _ events: UInt32) throws(Fault) {
    let events = events | UInt32(IN_ONLYDIR)
    if isBlind || add(directory.fd, events) { return }
    if errno == ENOENT, directory.entered({ inotify_add_watch(fd, ".", events) }) ?? -1 >= 0 {
      return
    }
    try tick(errno, "\(printable(directory.path)): cannot watch")
  }

  // By descriptor: the path may refer to another file by now.
  private func add(_ file: Int32, _ events: UInt32) -> Bool {
    inotify_add_watch(fd, "/proc/self/fd/\(file)", events) >= 0
  }

  // Ticks also cover everything that was watched before.
  private func tick(_ code: Int32, _ what: String) throws(Fault) {
    if fd >= 0 { close(fd) }
    isBlind = true
    fd = cpipe_ticks(Watch.pause)
    if fd < 0 { throw Fault("watch", "timer") }
    // Another user's pipe, as under sudo: there is nothing to fix.
    if code == EACCES { return }
    report("\(Watch.reason(code, what)); polling every \(Watch.pause) ms instead")
  }

  private static func reason(_ code: Int32, _ what: String) -> String {
    let way =
      switch code {
      case EMFILE: " (raise sysctl fs.inotify.max_user_instances or ulimit -n)"
      case ENOSPC: " (raise sysctl fs.inotify.max_user_watches)"
      case ENOENT: " (mount /proc)"
      default: ""
      }
    return "\(what): \(String(cString: strerror(code)))\(way)"
  }

  /// Clears pending events. Returns true if `matters` holds for one of the names, if the kernel's
  /// event queue overflowed, and at each tick.
  package func drain(_ matters: (UnsafeRawBufferPointer) -> Bool) -> Bool {
    if isBlind { return read(fd, buffer.baseAddress, buffer.count) > 0 }
    var found = false
    while true {
      let count = read(fd, buffer.baseAddress, buffer.count)
      if count <= 0 { return found }
      var at = 0
      while at < count {
        // struct inotify_event: watch 4, mask 4, cookie 4, name length 4, name padded with NULs.
        let mask = buffer.load(fromByteOffset: at + 4, as: UInt32.self)
        let length = Int(buffer.load(fromByteOffset: at + 12, as: UInt32.self))
        let name = UnsafeRawBufferPointer(rebasing: buffer[(at + 16)..<(at + 16 + length)])
        let end = name.firstIndex(of: 0) ?? length
        // Called for every name: `matters` may do more than decide.
        let isMeant = matters(UnsafeRawBufferPointer(rebasing: name[..<end]))
        found = found || isMeant || mask & UInt32(IN_Q_OVERFLOW) != 0
        at += 16 + length
      }
    }
  }

  deinit {
    close(fd)
    buffer.deallocate()
  }
}
