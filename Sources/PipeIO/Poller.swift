internal import CPipeIO
internal import Glibc
package import PipeTime

/// The descriptors that can wake an idle process.
package struct Poller {
  private var entries: [pollfd] = []

  package init() {}

  package enum Interest {
    case reading, writing
    /// Only that the other end closes.
    case breaking
  }

  /// Returns the index for `isReady` and `isBroken`.
  package mutating func watch(_ fd: Int32, for interest: Interest = .reading) -> Int {
    let events: Int32 =
      switch interest {
      case .reading: POLLIN
      case .writing: POLLOUT
      case .breaking: 0
      }
    entries.append(pollfd(fd: fd, events: Int16(events), revents: 0))
    return entries.count - 1
  }

  /// Blocks until an event occurs or `deadline` has come.
  package mutating func wait(until deadline: SteadyInstant?) throws(Fault) {
    let left = deadline.map { max(0, ($0 - Clock.steady()).microseconds) } ?? -1
    let count = entries.withUnsafeMutableBufferPointer { all in
      retryingInterrupts { cpipe_poll(all.baseAddress, nfds_t(all.count), left) }
    }
    if count < 0 { throw Fault("wait", "poll") }
  }

  /// Whether the entry at `index` has an event, even if it is end of file or an error.
  package func isReady(_ index: Int) -> Bool { entries[index].revents != 0 }

  /// Whether the other end of a pipe has closed.
  package func isBroken(_ index: Int) -> Bool {
    entries[index].revents & Int16(POLLERR | POLLHUP) != 0
  }
}

/// Wakes the pollers of other threads, once and for good.
package final class Bell: Sendable {
  /// Readable once it has rung.
  package let fd: Int32
  private let other: Int32

  package init() throws(Fault) {
    var ends: [Int32] = [-1, -1]
    if cpipe_pipe(&ends) != 0 { throw Fault("open", "stderr") }
    (fd, other) = (ends[0], ends[1])
  }

  package func ring() { _ = write(other, "\n", 1) }

  deinit {
    close(other)
    close(fd)
  }
}

/// Signals as events to wait for, instead of interruptions.
package final class SignalQueue {
  package let fd: Int32

  package static let terminate = SIGTERM
  package static let interrupt = SIGINT
  package static let child = SIGCHLD
  package static let hangup = SIGHUP

  /// From now on these signals are only queued here. Signals that were ignored when this process
  /// started, as by nohup(1) or for a background job, stay ignored. Children start with no signal
  /// blocked. `interruptsLocks`: during a wait for a lock, the signals count as stop signals.
  package init(_ signals: [Int32], interruptsLocks: Bool = false) throws(Fault) {
    // The parent process may have left SIGCHLD ignored; the kernel would then report no child.
    _ = cpipe_default_signal(SIGCHLD)
    let heeded = signals.filter { cpipe_is_ignored($0) == 0 }
    var set = signalSet(heeded)
    sigprocmask(SIG_BLOCK, &set, nil)
    fd = cpipe_signalfd(&set)
    if fd < 0 { throw Fault("watch", "signals") }
    if interruptsLocks { Stops.watch(heeded.filter { $0 != SIGCHLD }) }
  }

  package func take() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(fd, &info, size) == size ? Int32(info.ssi_signo) : nil
  }

  deinit {
    close(fd)
  }
}

/// Ends this process by `signal`, as if the signal had never been handled.
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

/// A file that reaches its size limit is then an error like any other and does not kill the
/// process.
package func ignoreFileSizeLimit() {
  _ = cpipe_ignore_signal(SIGXFSZ)
}
