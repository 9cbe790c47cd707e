internal import Glibc
internal import Logging
internal import PipeGateway
internal import PipeIO
internal import PipeQueue

/// `pipe serve`, from its options on.
struct ServeJob {
  let location: QueueLocation
  let address: ListeningAddress
  let tokenFile: String?
  let maxBody: Int
  let requirements: [Requirement]
  let limit: Rate?
  let cors: String?
  let logLevel: Logger.Level
  let accessLog: Bool

  func run() throws(Fault) -> Int32 {
    ignoreBrokenPipes()
    ignoreFileSizeLimit()
    let token = try tokenFile.map { (path) throws(Fault) in try Token(file: path) }
    guard token != nil || address.isLoopback else {
      throw Fault(
        .usage, "\(printable(address.text)): is not this machine alone; that needs --token-file")
    }
    // Before any thread: they inherit what is blocked.
    let signals = try SignalQueue([SignalQueue.terminate, SignalQueue.interrupt])
    let log = ServerLog(logLevel, access: accessLog)
    let server = try listen(try router(token, log), log)
    log.diagnostics.info("listening on \(server.text)")
    return try wait(for: signals, server, log)
  }

  // Each desk has a queue of its own: locks are of an open directory.
  private func router(_ token: Token?, _ log: ServerLog) throws(Fault) -> Router {
    let diagnostics = log.diagnostics
    let report: @Sendable (String) -> Void = { diagnostics.warning("\($0)") }
    let intake = IntakeClerk(
      try location.create(report: report), requirements: requirements, diagnostics)
    let questions = QuestionClerk(try location.open(report: report))
    let figures = QuestionClerk(try location.open(report: report))
    let once = OnceSaid(report)
    let watching = WatchClerk(try location.open(report: once.say), canRetry: token != nil)
    let retries = RetryClerk(try location.open(report: report))
    return Router(
      intake: Desk(intake) { $0.serve($1) }, questions: Desk(questions) { $0.serve($1) },
      figures: Desk(figures) { $0.serve($1) }, watching: Desk(watching) { $0.serve($1) },
      retries: Desk(retries) { $0.serve($1) }, token: token,
      origins: Origins(permitted: cors, hasToken: token != nil), limit: limit.map(RateLimit.init))
  }

  private func listen(_ router: Router, _ log: ServerLog) throws(Fault) -> Server {
    let limits = ConnectionLimits(body: maxBody, connections: raiseOpenFiles() - 64)
    do {
      return try Server(address, limits, record: log.record, everySecond: router.watch) {
        router.take($0)
      }
    } catch {
      throw Fault(.unavailable, "\(printable(address.text)): cannot listen: \(error)")
    }
  }

  // The first signal ends it when all that was asked is answered; a second one at once.
  private func wait(
    for signals: SignalQueue, _ server: Server, _ log: ServerLog
  ) throws(Fault) -> Int32 {
    var poller = Poller()
    _ = poller.watch(signals.number)
    try poller.wait(until: nil)
    _ = signals.take()
    log.diagnostics.info("stopping")
    let lines = log.lines
    server.stop {
      lines.finish()
      exit(Exit.fine)
    }
    try poller.wait(until: nil)
    die(of: signals.take() ?? SignalQueue.terminate)
  }
}

/// Lets this process open as many files as it is ever allowed to, and returns how many that is.
private func raiseOpenFiles() -> Int {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
  limit.rlim_cur = min(limit.rlim_max, 1 << 15)
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  return Int(limit.rlim_cur)
}
