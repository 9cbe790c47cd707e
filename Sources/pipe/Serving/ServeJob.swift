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
    if let tokenFile, token?.isExposed == true {
      log.diagnostics.warning("\(tokenFile): every user of this machine can read the token")
    }
    let router = try router(token, log)
    let server = try listen(router, log)
    server.watch {
      complain("pipe serve: the socket to listen at was closed")
      exit(Exit.status(of: .unavailable))
    }
    log.diagnostics.info("listening on \(server.text)")
    return try wait(for: signals, server, router, log)
  }

  // Each desk has a queue of its own: locks are of an open directory.
  private func router(_ token: Token?, _ log: ServerLog) throws(Fault) -> Router {
    let report = log.warn
    let condition = Condition()
    let intake = IntakeClerk(
      try location.create(report: report), requirements: requirements, condition,
      log.diagnostics)
    let health = QuestionClerk(try location.open(report: report), condition)
    let questions = QuestionClerk(try location.open(report: report), condition)
    let figures = QuestionClerk(try location.open(report: OnceSaid(report).say), condition)
    let watching = WatchClerk(
      try location.open(report: OnceSaid(report).say), canRetry: token != nil)
    let retries = RetryClerk(try location.open(report: report))
    return Router(
      intake: Desk(intake) { $0.serve($1) }, health: Desk(health) { $0.serve($1) },
      questions: Desk(questions) { $0.serve($1) },
      figures: Desk(figures) { $0.serve($1) }, watching: Desk(watching) { $0.serve($1) },
      retries: Desk(retries) { $0.serve($1) }, token: token,
      origins: Origins(permitted: cors, hasToken: token != nil), limit: limit.map(RateLimit.init))
  }

  private func listen(_ router: Router, _ log: ServerLog) throws(Fault) -> Server {
    let files = raiseOpenFiles()
    // Some are for the queue; of few it needs a larger part.
    let limits = ConnectionLimits(body: maxBody, connections: max(files - 64, files / 4))
    do {
      return try Server(
        address, limits, record: log.record, everySecond: router.watch, notice: log.warn,
        receive: router.receive
      ) { router.take($0) }
    } catch {
      throw cannotListen((error as? ListenFault)?.code ?? 0)
    }
  }

  private func cannotListen(_ code: Int32) -> Fault {
    let fault = Fault("listen", address.text, code: code)
    return fault.kind == .permission ? fault : Fault(.unavailable, fault.text, code: code)
  }

  // The first signal ends it when all that was asked is answered; a second one at once.
  private func wait(
    for signals: SignalQueue, _ server: Server, _ router: Router, _ log: ServerLog
  ) throws(Fault) -> Int32 {
    var poller = Poller()
    _ = poller.watch(signals.number)
    try poller.wait(until: nil)
    _ = signals.take()
    log.diagnostics.info("stopping")
    let lines = log.lines
    server.stop {
      router.intake.finish()
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
