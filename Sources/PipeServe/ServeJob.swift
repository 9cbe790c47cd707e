internal import Glibc
package import Logging
package import PipeGateway
package import PipeIntake
package import PipeIO
internal import PipeMeasure
package import PipeEngine
package import PipeTime

/// `pipe serve`, after its options are parsed.
package struct ServeJob {
  let location: QueueLocation
  let address: ListeningAddress
  let tokenFile: String?
  let maxBody: Int
  let requirements: [Requirement]
  /// How long a repeated request gets the same id; 0: none.
  let dedup: TimeSpan
  let limit: Rate?
  let cors: String?
  /// The value of the label `queue` of the metrics; nil: no such label.
  let label: String?
  let logLevel: Logger.Level
  let accessLog: Bool

  package init(
    location: QueueLocation, address: ListeningAddress, tokenFile: String?, maxBody: Int,
    requirements: [Requirement], dedup: TimeSpan, limit: Rate?, cors: String?, label: String?,
    logLevel: Logger.Level, accessLog: Bool
  ) {
    self.location = location
    self.address = address
    self.tokenFile = tokenFile
    self.maxBody = maxBody
    self.requirements = requirements
    self.dedup = dedup
    self.limit = limit
    self.cors = cors
    self.label = label
    self.logLevel = logLevel
    self.accessLog = accessLog
  }

  package func run() throws(Fault) -> Int32 {
    ignoreBrokenPipes()
    ignoreFileSizeLimit()
    // Before any thread starts: threads inherit the blocked signals.
    let signals = try SignalQueue(
      [SignalQueue.terminate, SignalQueue.interrupt, SignalQueue.hangup])
    let token = try tokenFile.map { (path) throws(Fault) in try TokenFile(path) }
    guard token != nil || address.isLoopback else {
      throw Fault(
        .usage,
        "\(printable(address.text)): is reachable from other machines, so --token-file is required")
    }
    let log = try ServerLog(logLevel, access: accessLog)
    if let token { warnOfExposed(token, log) }
    let router = try router(token, log)
    let server = try listen(router, log)
    server.watch {
      Diagnostics(command: "serve").say("the listening socket was closed", .error)
      exit(Exit.status(of: .unavailable))
    }
    log.diagnostics.info("listening on \(server.text)")
    return try wait(for: signals, server, router, log)
  }

  private func warnOfExposed(_ token: TokenFile, _ log: ServerLog) {
    guard token.isExposed else { return }
    log.diagnostics.warning(
      "\(token.path): every user of this machine can read the token (chmod o-r)")
  }

  // Each worker opens the queue itself: a lock belongs to an open directory.
  private func router(_ token: TokenFile?, _ log: ServerLog) throws(Fault) -> Router {
    let report = log.warn
    let diskHealth = Health()
    let intake = IngestHandler(
      try location.create(report: report), requirements: requirements, window: dedup,
      diskHealth, log.diagnostics)
    let health = QueryHandler(try location.open(report: report), diskHealth)
    let status = QueryHandler(try location.open(report: report), diskHealth)
    let metrics = QueryHandler(
      try location.open(report: OncePerMessage(report).say), diskHealth, label: label)
    let events = EventBroadcaster(
      try location.open(report: OncePerMessage(report).say), canRetry: token != nil)
    let retries = RetryHandler(try location.open(report: report))
    return Router(
      intake: try SerialWorker(intake) { $0.serve($1) },
      health: try SerialWorker(health) { $0.serve($1) },
      status: try SerialWorker(status) { $0.serve($1) },
      metrics: try SerialWorker(metrics) { $0.serve($1) },
      events: try SerialWorker(events) { $0.serve($1) },
      retries: try SerialWorker(retries) { $0.serve($1) }, token: token,
      origins: Origins(permitted: cors, hasToken: token != nil), limit: limit.map(RateLimit.init))
  }

  private func listen(_ router: Router, _ log: ServerLog) throws(Fault) -> Server {
    let files = raiseOpenFiles()
    // NIO would end the process if it could not open the descriptors it waits with.
    try requireDescriptors(ServeJob.spareFiles, for: "connections")
    // The rest is for the queue: 64 files, or three quarters of a low limit.
    let limits = ConnectionLimits(body: maxBody, connections: max(files - 64, files / 4))
    do {
      return try Server(
        address, limits, record: log.record, everySecond: router.watch, notice: log.warn,
        admit: router.admit
      ) { router.take($0) }
    } catch let fault as Fault {
      throw fault
    } catch {
      throw cannotListen((error as? ListenFault)?.code ?? 0)
    }
  }

  /// Three to wait with, one to listen on, and a few connections and segments.
  private static let spareFiles = 8

  private func cannotListen(_ code: Int32) -> Fault {
    let fault = Fault("listen", address.text, code: code)
    return fault.kind == .permission ? fault : Fault(.unavailable, fault.text, code: code)
  }

  // The first signal to stop ends the process after all requests are answered, a second one at
  // once.
  private func wait(
    for signals: SignalQueue, _ server: Server, _ router: Router, _ log: ServerLog
  ) throws(Fault) -> Int32 {
    _ = try stop(signals) { reread(router.token, log) }
    log.diagnostics.info("stopping")
    let lines = log.lines
    server.stop {
      router.intake.finish()
      lines.finish()
      exit(Exit.fine)
    }
    die(of: try stop(signals) {})
  }

  /// Waits for a signal to stop; calls `hangup` at each SIGHUP before it.
  private func stop(_ signals: SignalQueue, hangup: () -> Void) throws(Fault) -> Int32 {
    var poller = Poller()
    _ = poller.watch(signals.fd)
    while true {
      try poller.wait(until: nil)
      while let signal = signals.take() {
        if signal != SignalQueue.hangup { return signal }
        hangup()
      }
    }
  }

  private func reread(_ token: TokenFile?, _ log: ServerLog) {
    guard let token else { return }
    do throws(Fault) {
      try token.reread()
      log.diagnostics.info("\(token.path): the token was reread")
      warnOfExposed(token, log)
    } catch { log.diagnostics.error("\(error.text); the previous token stays valid") }
  }
}

/// Sets the limit of open files to the highest that is permitted, at most 32,768, and returns it.
private func raiseOpenFiles() -> Int {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
  limit.rlim_cur = min(limit.rlim_max, 1 << 15)
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  return Int(limit.rlim_cur)
}
