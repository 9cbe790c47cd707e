internal import CPipeIO
internal import CPipeTorture
internal import Glibc
internal import PipeIO
internal import PipeTime

/// One run of `pipe`.
final class Actor {
  let form: Life.Form
  /// The number of its calls on the tree so far.
  var calls = 0
  var mishap: Mishap?
  /// The call kind that fails from now on, and how.
  var failing: (kind: UInt32, code: Int32)?
  var isStopped = false
  /// Whether it got a SIGTERM because nothing else happened.
  var isAskedToEnd = false
  /// Whether it was killed or stopped, or a call of it failed.
  var isDisturbed = false
  /// The items of each of its input lines.
  var lines: [[Int]] = []
  var input: [UInt8] = []
  /// The queue that they go to.
  var target = ""
  /// When its lines were first sent.
  var sent = Clock.steady()
  /// The token of the claim that it settles, and its items.
  var claim: (token: String, items: [Int])?
  /// What it has written and nobody has judged yet.
  private(set) var output: [UInt8] = []
  /// Items that it has delivered.
  var delivered: [Int] = []
  /// Lines that it has received for its own lines.
  var receipts = 0

  private(set) var process: pid_t = 0
  private(set) var listener: Int32 = -1
  private(set) var stdout: Int32 = -1
  /// Its status as of waitpid(2), once it has ended.
  var status: Int32?

  /// The request to this gateway that is under way.
  var client: Client?
  var requests = 0
  var port: UInt16?
  /// For its sizes and queues.
  var random: SeededRandom

  init(_ form: Life.Form, _ random: SeededRandom) { (self.form, self.random) = (form, random) }

  /// `errors`: the file that its diagnostics go to; nil: its output.
  func start(_ words: [String], isSupervised: Bool = true, errors: Int32?) throws(Fault) {
    var ends: [Int32] = [-1, -1]
    if cpipe_pipe(&ends) != 0 { throw Fault("open", "pipe") }
    defer { close(ends[1]) }
    let file = try MemoryFile()
    try input.withUnsafeBufferPointer { (bytes) throws(Fault) -> Void in
      try file.write(UnsafeRawBufferPointer(bytes))
    }
    file.rewind()
    var child = cpipe_supervised()
    let path = "PATH=" + (variable("PATH") ?? "/usr/bin:/bin")
    let result = SystemWords((["pipe"] + words).map { Array($0.utf8) }).withPointers { words in
      SystemWords([Array(path.utf8)]).withPointers { settings in
        cpipe_start(
          words + [nil], settings + [nil], [file.fd, ends[1], errors ?? ends[1]],
          isSupervised ? 1 : 0, &child)
      }
    }
    if result != 0 {
      let code = errno
      close(ends[0])
      if [ENOSYS, EINVAL, EPERM, EACCES, EBUSY].contains(code) {
        throw Fault(
          .unavailable,
          "this kernel or sandbox does not let a program supervise another"
            + " (seccomp user notification; Linux 5.19 or later)")
      }
      throw Fault("start", "pipe", code: code)
    }
    (process, listener, stdout) = (child.process, child.listener, ends[0])
  }

  /// Reads what it has written. Returns false at the end.
  func read() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = retryingInterrupts { Glibc.read(stdout, &buffer, buffer.count) }
    if count > 0 {
      output += buffer.prefix(count)
      return true
    }
    close(stdout)
    stdout = -1
    return false
  }

  /// The complete lines of the output that were not taken yet. A line without its newline is that of a
  /// program that was killed.
  func takeLines() -> [Substring] {
    guard let last = output.lastIndex(of: 0x0a) else { return [] }
    let text = String(decoding: output[...last], as: UTF8.self)
    output.removeFirst(last + 1)
    return text.split(separator: "\n")
  }

  /// The exit status of a program that could not be executed.
  static let notStarted: Int32 = 127

  func closeListener() {
    if listener >= 0 { close(listener) }
    listener = -1
  }

  func signal(_ number: Int32) { if status == nil { kill(process, number) } }

  var hasEnded: Bool { status != nil && stdout < 0 }

  var exitStatus: Int32? { status.flatMap { cpipe_exited($0) != 0 ? cpipe_exit_status($0) : nil } }
  var endedBySignal: Int32? {
    status.flatMap { cpipe_exited($0) == 0 ? cpipe_term_signal($0) : nil }
  }
}
