internal import CPipeIO
internal import Glibc

/// The write end of a pipe. Knows how much of the written data its reader has read.
package final class PipeOutput {
  /// nil once the reader was sent end of file.
  private var descriptor: Descriptor?
  /// The most bytes that one write passes without blocking.
  private let portion: Int
  private var reads: Watch?
  /// Bytes written to the pipe so far.
  package private(set) var written = 0
  package private(set) var isBroken = false

  /// nil if stdout is not a pipe. Reopens stdout if that is permitted: only then can it be made
  /// non-blocking for this process alone. Otherwise the pipe is written in small portions, when it
  /// has room. `capacity`: bytes that the pipe may hold, rounded up to pages; nil for 1 MiB.
  package init?(capacity: Int? = nil) {
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0, cpipe_is_pipe(&status) != 0 else { return nil }
    let flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC
    let own = cpipe_openat(AT_FDCWD, "/proc/self/fd/1", flags, 0)
    portion = own >= 0 ? .max : Int(PIPE_BUF)
    descriptor = own >= 0 ? Descriptor(owning: own, path: "stdout") : .standardOutput
    // A pipe that cannot be reopened cannot be watched either; see `watchReads`.
    if let capacity = own < 0 ? 1 : capacity {
      _ = cpipe_resize_pipe(STDOUT_FILENO, Int32(capacity))
    } else {
      enlargePipe(STDOUT_FILENO)
    }
  }

  package var fd: Int32 { descriptor?.fd ?? -1 }

  /// Bytes that the reader has read. Bytes left unread when it closed the pipe do not count.
  package var taken: Int {
    var unread: Int32 = 0
    return cpipe_unread_bytes(fd, &unread) == 0 ? written - Int(unread) : written
  }

  /// Writes what fits now; returns the number of bytes written.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> Int {
    if portion < .max {
      var poll = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
      guard Glibc.poll(&poll, 1, 0) > 0 else { return 0 }
    }
    let count = retryingInterrupts {
      Glibc.write(fd, bytes.baseAddress, min(bytes.count, portion))
    }
    if count >= 0 {
      written += count
      return count
    }
    if errno == EPIPE { isBroken = true } else if errno != EAGAIN { throw Fault("write", "stdout") }
    return 0
  }

  package func noteBroken() { isBroken = true }

  /// How to learn that the reader has read something.
  package enum Reads {
    case reported(Watch)
    /// The pipe has room only when the reader has read all of it.
    case whenEmpty
  }

  /// Start watching, then check `taken`, then wait. `report`: as for `Watch`.
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

  // The pipe cannot be watched, for example because it is another user's. A pipe of a single page
  // has no room until that page is read. Resized each time, because the reader may have enlarged it
  // again.
  private func reported(by watch: Watch) -> Reads {
    watch.isBlind && cpipe_resize_pipe(fd, 1) > 0 ? .whenEmpty : .reported(watch)
  }

  /// Sends the reader end of file. Returns nil and does nothing if this process could not then
  /// learn that the reader closes. Call it once the reader has read everything.
  package func finish() -> Downstream? {
    guard portion == .max, let downstream = Downstream() else { return nil }
    let nothing = cpipe_openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0)
    guard nothing >= 0 else { return nil }
    reads = nil
    descriptor = nil
    // Descriptor 1 stays in use: the next file opened must not become stdout.
    dup2(nothing, STDOUT_FILENO)
    close(nothing)
    return downstream
  }
}

/// The rest of a pipeline after its first process, this one, has sent end of file: from stdout on,
/// the pipes of `a | b | c`. Each is kept without holding either end. While one of them has a
/// reader, work that was handed out may still be running there.
package final class Downstream {
  private var pipes: [(name: String, file: Descriptor)] = []
  private let closings: Watch

  /// Create it before stdout is closed. nil if the system does not report when the reader closes.
  init?() {
    guard let closings = try? Watch({ _ in }) else { return nil }
    self.closings = closings
    guard let name = linkTarget("/proc/self/fd/1"), add(name, "/proc/self/fd/1") else { return nil }
    extend()
  }

  /// Readable when a reader has closed one of the pipes: then check `isOver`.
  package var fd: Int32 { closings.fd }

  /// Whether no process reads from the pipes any more. Processes started since the last check count
  /// too.
  package var isOver: Bool {
    _ = closings.drain { _ in true }
    extend()
    return !pipes.contains { Downstream.hasReader($0.file) }
  }

  private func add(_ name: String, _ path: String) -> Bool {
    let fd = cpipe_open_path(path)
    guard fd >= 0 else { return false }
    let file = Descriptor(owning: fd, path: name)
    guard (try? closings.closings(of: file)) != nil, !closings.isBlind else { return false }
    pipes.append((name, file))
    return true
  }

  // The stdout of a process that reads from one of these pipes is the next pipe, unless it is also
  // the stdout of an ancestor: the whole pipeline writes there, and the ancestor waits for this
  // process.
  private func extend() {
    let processes = Downstream.processes()
    let beyond = Set(Downstream.ancestors().compactMap { linkTarget("/proc/\($0)/fd/1") })
    var found = true
    while found {
      found = false
      for (process, input) in processes where pipes.contains(where: { $0.name == input }) {
        let path = "/proc/\(process)/fd/1"
        guard let output = linkTarget(path), output.hasPrefix("pipe:["), !beyond.contains(output),
          !pipes.contains(where: { $0.name == output }), add(output, path)
        else { continue }
        found = true
      }
    }
  }

  /// The other processes, each with the target of its stdin.
  private static func processes() -> [(process: Int32, input: String)] {
    otherProcesses().compactMap { process in
      linkTarget("/proc/\(process)/fd/0").map { (process, $0) }
    }
  }

  private static func ancestors() -> [Int32] {
    var found: [Int32] = []
    var process = getppid()
    while process > 1, found.count < 64 {
      found.append(process)
      // `4711 (a name) S 4710 …`
      guard let text = textOfFile("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
        break
      }
      let columns = text[end...].split(separator: " ")
      process = columns.count > 2 ? Int32(columns[2]) ?? 0 : 0
    }
    return found
  }

  // The write end is open only for an instant, so that no reader misses end of file.
  private static func hasReader(_ file: Descriptor) -> Bool {
    let fd = cpipe_openat(
      AT_FDCWD, "/proc/self/fd/\(file.fd)", O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0)
    guard fd >= 0 else { return errno != ENXIO }
    defer { close(fd) }
    var entry = pollfd(fd: fd, events: 0, revents: 0)
    return poll(&entry, 1, 0) <= 0 || entry.revents & Int16(POLLERR) == 0
  }
}
