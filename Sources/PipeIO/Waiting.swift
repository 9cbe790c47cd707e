internal import CPipeIO
internal import Glibc

/// What can wake a process that has nothing to do.
package struct Poller {
  private var entries: [pollfd] = []

  package init() {}

  package enum Interest {
    case reading, writing
    /// Only that the other end goes.
    case breaking
  }

  /// Returns the index by which to ask for it.
  package mutating func watch(_ number: Int32, for interest: Interest = .reading) -> Int {
    let events: Int32 =
      switch interest {
      case .reading: POLLIN
      case .writing: POLLOUT
      case .breaking: 0
      }
    entries.append(pollfd(fd: number, events: Int16(events), revents: 0))
    return entries.count - 1
  }

  /// Blocks until something happens or `deadline` (`Clock.steady`, microseconds) has come.
  package mutating func wait(until deadline: Int64?) throws(Fault) {
    let left = deadline.map { max(0, $0 - Clock.steady()) } ?? -1
    let count = entries.withUnsafeMutableBufferPointer { all in
      uninterrupted { cpipe_poll(all.baseAddress, nfds_t(all.count), left) }
    }
    if count < 0 { throw Fault("wait", "poll") }
  }

  /// Whether the entry at `index` has something to say, be it an end or an error.
  package func isReady(_ index: Int) -> Bool { entries[index].revents != 0 }

  /// Whether the other end of a pipe has gone.
  package func isBroken(_ index: Int) -> Bool {
    entries[index].revents & Int16(POLLERR | POLLHUP) != 0
  }
}

/// Tells of names that appear in directories and of files in them whose last writer has closed them.
package final class Watch {
  package let number: Int32
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 8)

  package init() throws(Fault) {
    number = cpipe_inotify()
    if number < 0 { throw Fault("watch", "inotify") }
  }

  /// A name that was renamed into place in `directory`, or that was removed from it.
  package func changes(in directory: Directory) throws(Fault) {
    try add(
      directory.number, UInt32(IN_MOVED_TO) | UInt32(IN_DELETE) | UInt32(IN_ONLYDIR), directory.path
    )
  }

  /// A file in `directory` that the last holder of a writable descriptor has closed.
  package func closings(in directory: Directory) throws(Fault) {
    try add(directory.number, UInt32(IN_CLOSE_WRITE) | UInt32(IN_ONLYDIR), directory.path)
  }

  /// Each time that something is read from a file or pipe.
  func reads(of file: Descriptor) throws(Fault) {
    try add(file.number, UInt32(IN_ACCESS), file.path)
  }

  private func add(_ number: Int32, _ events: UInt32, _ path: String) throws(Fault) {
    // Through the descriptor: the path may name another file by now.
    if inotify_add_watch(self.number, "/proc/self/fd/\(number)", events) < 0 {
      throw Fault("watch", path)
    }
  }

  /// Forgets what was told so far. True where `matters` holds for one of the names, or where there were
  /// more than the kernel remembers.
  package func drain(_ matters: (UnsafeRawBufferPointer) -> Bool) -> Bool {
    var found = false
    while true {
      let count = read(number, buffer.baseAddress, buffer.count)
      if count <= 0 { return found }
      var at = 0
      while at < count {
        // struct inotify_event: watch 4, mask 4, cookie 4, name length 4, name padded with NULs.
        let mask = buffer.load(fromByteOffset: at + 4, as: UInt32.self)
        let length = Int(buffer.load(fromByteOffset: at + 12, as: UInt32.self))
        let name = UnsafeRawBufferPointer(rebasing: buffer[(at + 16)..<(at + 16 + length)])
        let end = name.firstIndex(of: 0) ?? length
        // Each is asked about: it may mean more than whether to look.
        let isMeant = matters(UnsafeRawBufferPointer(rebasing: name[..<end]))
        found = found || isMeant || mask & UInt32(IN_Q_OVERFLOW) != 0
        at += 16 + length
      }
    }
  }

  deinit {
    close(number)
    buffer.deallocate()
  }
}

/// Signals as something to wait for, instead of something that interrupts.
package final class SignalQueue {
  package let number: Int32

  package static let terminate = SIGTERM
  package static let interrupt = SIGINT
  package static let child = SIGCHLD

  /// From now on these signals only wait here. Children are started with none blocked.
  package init(_ signals: [Int32]) throws(Fault) {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    // Whoever started us may have it ignored, and then the kernel tells of no child.
    _ = cpipe_default_signal(SIGCHLD)
    sigprocmask(SIG_BLOCK, &set, nil)
    number = cpipe_signalfd(&set)
    if number < 0 { throw Fault("watch", "signals") }
  }

  package func take() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(number, &info, size) == size ? Int32(info.ssi_signo) : nil
  }

  deinit {
    close(number)
  }
}

/// Ends this process by `signal`, as if it had never been handled.
package func die(of signal: Int32) -> Never {
  var set = sigset_t()
  sigemptyset(&set)
  sigaddset(&set, signal)
  _ = cpipe_default_signal(signal)
  sigprocmask(SIG_UNBLOCK, &set, nil)
  raise(signal)
  exit(128 + signal)
}

package func ignoreBrokenPipes() {
  _ = cpipe_ignore_signal(SIGPIPE)
}

/// A file that reaches the limit of its size is an error like another, not a death.
package func ignoreFileSizeLimit() {
  _ = cpipe_ignore_signal(SIGXFSZ)
}
