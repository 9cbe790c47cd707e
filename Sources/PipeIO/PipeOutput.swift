internal import CPipeIO
internal import Glibc

/// The writing end of a pipe, knowing how much of what was written its reader has taken.
package final class PipeOutput {
  /// nil once the reader was given the end.
  private var descriptor: Descriptor?
  /// The most that one write hands over without blocking.
  private let portion: Int
  private var reads: Watch?
  /// Bytes handed to the pipe so far.
  package private(set) var written = 0
  package private(set) var isBroken = false

  /// nil where stdout is not a pipe. It is opened again where that is allowed: only then can it be made
  /// non-blocking for this process alone. Else the pipe takes little at a time, when it has room.
  /// `capacity`: bytes that the pipe may hold, rounded up to pages; nil for as many as is fast.
  package init?(capacity: Int? = nil) {
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0, cpipe_is_pipe(&status) != 0 else { return nil }
    let flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC
    let own = cpipe_openat(AT_FDCWD, "/proc/self/fd/1", flags, 0)
    portion = own >= 0 ? .max : Int(PIPE_BUF)
    descriptor = own >= 0 ? Descriptor(owning: own, path: "stdout") : .standardOutput
    // What cannot be opened again cannot be watched either; see `watchReads`.
    if let capacity = own < 0 ? 1 : capacity {
      _ = cpipe_resize_pipe(STDOUT_FILENO, Int32(capacity))
    } else {
      enlargePipe(STDOUT_FILENO)
    }
  }

  package var number: Int32 { descriptor?.number ?? -1 }

  /// Bytes that the reader has taken. Those that it never will, because it has gone, are not among them.
  package var taken: Int {
    var unread: Int32 = 0
    return cpipe_unread_bytes(number, &unread) == 0 ? written - Int(unread) : written
  }

  /// Hands over what fits now; returns how much that was.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> Int {
    if portion < .max {
      var poll = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
      guard Glibc.poll(&poll, 1, 0) > 0 else { return 0 }
    }
    let count = uninterrupted {
      Glibc.write(number, bytes.baseAddress, min(bytes.count, portion))
    }
    if count >= 0 {
      written += count
      return count
    }
    if errno == EPIPE { isBroken = true } else if errno != EAGAIN { throw Fault("write", "stdout") }
    return 0
  }

  package func noteBroken() { isBroken = true }

  /// How to learn that the reader has taken something.
  package enum Reads {
    case reported(Watch)
    /// The pipe has room only when all of it is taken.
    case whenEmpty
  }

  /// Begin to watch, then ask what is `taken`, then wait. `report`: as that of `Watch`.
  package func watchReads(_ report: @escaping (String) -> Void) throws(Fault) -> Reads {
    if let reads {
      _ = reads.drain { _ in true }
      return reported(by: reads)
    }
    let watch = try Watch(report)
    if let descriptor { try watch.reads(of: descriptor) }
    reads = watch
    return reported(by: watch)
  }

  // The pipe is another user's, say, and may not be watched. One that holds a single page has no room until
  // that is taken; its reader may have made it larger again.
  private func reported(by watch: Watch) -> Reads {
    watch.isBlind && cpipe_resize_pipe(number, 1) > 0 ? .whenEmpty : .reported(watch)
  }

  /// Gives the reader the end. nil, and nothing is done, where this process could not learn then that
  /// the reader goes. To be called once all is taken.
  package func finish() -> Downstream? {
    guard portion == .max, let downstream = Downstream() else { return nil }
    let nothing = cpipe_openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0)
    guard nothing >= 0 else { return nil }
    reads = nil
    descriptor = nil
    // Its number stays in use: the next file that is opened must not become stdout.
    dup2(nothing, STDOUT_FILENO)
    close(nothing)
    return downstream
  }
}
