internal import CPipeIO
internal import CPipeTorture
internal import Glibc
internal import PipeIO
internal import PipeTime

/// One run of `pipe`.
final class ProgramRun {
  let role: Life.Role
  /// Its command line without paths, for messages.
  var name = "pipe"
  /// The number of its calls on the tree so far.
  var calls = 0
  var mishap: Mishap?
  /// The call kind that fails from now on, and how.
  var failing: (kind: cpipe_call_kind, code: Int32)?
  var isStopped = false
  /// Whether its last call was a flush that failed.
  var isRewriting = false
  /// Whether it got the SIGTERM that ends a program which otherwise waits for ever.
  var isAskedToEnd = false
  /// The items of each of its input lines.
  var lines: [[Int]] = []
  var input: [UInt8] = []
  /// The queue that they go to.
  var target = ""
  /// When its lines were first sent.
  var sent = Clock.steady()
  /// The token of the claim that it settles, its items, and the deliveries by all programs until then.
  var claim: (token: String, items: [Int], deliveries: Int)?
  /// Deliveries by all programs when it began, and the time.
  var deliveriesBefore = 0
  var started = Clock.steady()
  /// Output that is not judged yet.
  private(set) var output: [UInt8] = []
  /// Items that it has delivered.
  var delivered: [Int] = []
  /// Number of its lines with a receipt.
  var receipts = 0

  private(set) var process: pid_t = 0
  private(set) var listener: Int32 = -1
  private(set) var stdout: Int32 = -1
  var ending: Worker.Ending?

  /// The request to this gateway that is under way.
  var client: IngestRequest?
  var requests = 0
  var port: UInt16?
  /// For its sizes and queues.
  var random: SeededRandom

  init(_ role: Life.Role, _ random: SeededRandom) { (self.role, self.random) = (role, random) }

  /// `errors`: the file that its diagnostics go to; nil: its output.
  func start(_ words: [String], isSupervised: Bool = true, errors: Int32?) throws(Fault) {
    var ends: [Int32] = [-1, -1]
    if cpipe_pipe(&ends) != 0 { throw Fault("open", "pipe") }
    defer { close(ends[1]) }
    let file = try MemoryFile.holding(input)
    var child = cpipe_supervised()
    let path = "PATH=" + (variable("PATH") ?? "/usr/bin:/bin")
    let result = SystemWords((["pipe"] + words).map(\.systemBytes)).withPointers { words in
      SystemWords([path.systemBytes]).withPointers { settings in
        cpipe_start(
          words + [nil], settings + [nil], [file.fd, ends[1], errors ?? ends[1]],
          isSupervised ? 1 : 0, &child)
      }
    }
    if result != 0 {
      let code = errno
      close(ends[0])
      if [ENOSYS, EINVAL, EPERM, EACCES, EBUSY].contains(code) {
        throw ProgramRun.forbidden
      }
      throw Fault("start", "pipe", code: code)
    }
    (process, listener, stdout) = (child.process, child.listener, ends[0])
  }

  /// Reads what it has written.
  func read() {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = retryingInterrupts { Glibc.read(stdout, &buffer, buffer.count) }
    if count > 0 {
      output += buffer.prefix(count)
    } else {
      close(stdout)
      stdout = -1
    }
  }

  /// The complete lines of the output that were not taken yet. A line without its newline is that of a
  /// program that was killed.
  func takeLines() -> [Substring] {
    guard let last = output.lastIndex(of: 0x0a) else { return [] }
    let text = String(decoding: output[...last], as: UTF8.self)
    output.removeFirst(last + 1)
    return text.split(separator: "\n")
  }

  static let forbidden = Fault(
    .unavailable,
    "this kernel or sandbox does not let a program supervise another"
      + " (seccomp user notification and pidfd_getfd; Linux 5.19 or later)")

  /// The exit status of a program that could not be executed, and of one that got no descriptors.
  static let notStarted: Int32 = 127
  static let hadNoDescriptors: Int32 = 126

  func closeListener() {
    if listener >= 0 { close(listener) }
    listener = -1
  }

  func signal(_ number: Int32) { if ending == nil { kill(process, number) } }

  /// Blocks until it has ended.
  func waitForEnd() {
    var status: Int32 = 0
    if retryingInterrupts({ waitpid(process, &status, 0) }) == process {
      ending = Worker.Ending(status)
    }
  }

  var hasEnded: Bool { ending != nil && stdout < 0 }

  var exitStatus: Int32? { if case .exited(let status) = ending { status } else { nil } }
}

/// One request to a gateway: lines posted to /ingest.
final class IngestRequest {
  private(set) var fd: Int32
  private var request: [UInt8]
  private var response: [UInt8] = []

  /// nil if there is no connection.
  init?(port: UInt16, body: [UInt8]) {
    request = Array(
      """
      POST /ingest HTTP/1.1\r
      Host: localhost\r
      Content-Type: application/x-ndjson\r
      Content-Length: \(body.count)\r
      Connection: close\r
      \r

      """.utf8)
    request += body
    fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    // The gateway listens, so the kernel accepts without it.
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if result != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 {
      close(fd)
      return nil
    }
  }

  var isSending: Bool { !request.isEmpty }

  /// Sends or reads what it can. Returns false once the connection is over.
  func proceed() -> Bool {
    if isSending {
      let count = send(fd, request, request.count, Int32(MSG_NOSIGNAL))
      if count > 0 { request.removeFirst(count) }
      return count > 0 || errno == EAGAIN || errno == EINTR
    }
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(fd, &buffer, buffer.count, 0)
    if count > 0 { response += buffer.prefix(count) }
    return count > 0 || count < 0 && (errno == EAGAIN || errno == EINTR)
  }

  /// The number of receipts so far.
  var receipts: Int {
    guard response.starts(with: "HTTP/1.1 202 ".utf8) else { return 0 }
    let lines = response.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast()
    let start = Array(#"{"ingestion_id":""#.utf8)
    return lines.count { $0.starts(with: start) && $0.last == UInt8(ascii: "}") }
  }

  deinit { close(fd) }
}
