internal import PipeIO
internal import PipeQueue

/// `consume -- CMD`: runs the command for each batch, several at once, and settles by its exit status.
final class CommandRunner {
  private let source: BatchSource
  private let claimer: Claimer
  private let stderr: WorkerErrors
  private let launcher: Launcher
  private let jobs: Int
  private let timeout: Int64?
  private var running: [Job] = []
  private var someFailed = false
  /// The signal that ended a command with which this process shares the terminal.
  private var interruption: Int32?
  private var isAdvised = false
  /// Why no more is started: thrown once what runs is settled.
  private var fault: Fault?

  private struct Job {
    var group: WorkerGroup
    let claim: HeldClaim
    let errors: ErrorPipe
  }

  init(
    _ source: BatchSource, _ diagnostics: Diagnostics, jobs: Int, envelope: Bool, timeout: Int64?
  ) {
    self.source = source
    stderr = WorkerErrors(diagnostics)
    self.jobs = jobs
    self.timeout = timeout
    claimer = source.claimer
    launcher = Launcher(
      source.queue, envelope: envelope, runsAlone: jobs == 1 && timeout == nil)
  }

  func run() throws(Fault) -> Int32 {
    var mayBeReady = true
    while true {
      if mayBeReady { mayBeReady = startSome() }
      let isWaiting = source.mayGoOn && fault == nil
      if running.isEmpty, !isWaiting, !mayBeReady { break }
      if try wait(forReady: hasRoom && isWaiting, deadline: mayBeReady ? 0 : nil) {
        mayBeReady = true
      }
      // Before looking who has ended: of the end of a group that is killed nobody tells.
      for index in running.indices { running[index].group.enforce() }
      if settleEnded() { mayBeReady = true }
      if let signal = source.mustDie { try abandon(signal) }
    }
    try claimer.sync.flush()
    try stderr.finish(source)
    if let fault { throw fault }
    if let interruption { die(of: interruption) }
    return someFailed ? Exit.someFailed : Exit.fine
  }

  private var hasRoom: Bool { running.count < jobs && stderr.hasRoom }

  private func wait(forReady: Bool, deadline: Int64?) throws(Fault) -> Bool {
    let next = deadline ?? running.compactMap(\.group.wakeUp).min()
    defer { stderr.pass() }
    let hadRoom = stderr.hasRoom
    let look = try source.wait(forReady: forReady, until: next, events: stderr.events())
    return look || !hadRoom
  }

  /// Starts commands until there is no more room, or nothing more is ready; but only some at a time, so
  /// that signals and those that have ended get their turn. Returns whether there may be more.
  private func startSome() -> Bool {
    for _ in 0..<16 where hasRoom && fault == nil {
      do throws(Fault) {
        let errors = try stderr.pipe()
        guard let claim = try source.next(size: source.limits.size ?? 1) else {
          stderr.free(errors)
          return false
        }
        try start(claim, errors)
      } catch {
        // With commands running, room may come when they end.
        if error.kind == .tryLater, !running.isEmpty { return false }
        fault = error
      }
    }
    return hasRoom && fault == nil
  }

  private func start(_ claim: consuming Claim, _ errors: ErrorPipe) throws(Fault) {
    var isUsed = false
    defer { if !isUsed { stderr.free(errors) } }
    // Nothing but damage, which was reported when it was read.
    if claim.items.isEmpty { return try claimer.done(claim) }
    let result: Command.Start
    do throws(Fault) {
      result = try launcher.start(
        claim, lock: claimer.lockDescriptor, errors: errors.writingNumber)
    } catch {
      try claimer.giveBack(claim)
      throw error
    }
    switch result {
    case .running(let worker):
      let deadline = timeout.map { Clock.steady() + $0 }
      isUsed = true
      running.append(
        Job(
          group: WorkerGroup(worker, deadline: deadline), claim: HeldClaim(claim), errors: errors))
    case .refused(let reason):
      try claimer.giveBack(claim)
      throw Fault(.unavailable, "\(reason); its batch was given back")
    }
  }

  private func settleEnded() -> Bool {
    while let (process, change) = Worker.change() {
      if let index = running.firstIndex(where: { $0.group.worker.process == process }) {
        running[index].group.note(change)
      }
    }
    let before = running.count
    while let index = running.firstIndex(where: \.group.isOver) {
      let job = running.remove(at: index)
      do throws(Fault) { try settle(job) } catch { fault = fault ?? error }
    }
    return running.count < before
  }

  private func settle(_ job: Job) throws(Fault) {
    guard let ending = job.group.ending else { return }
    let failure = Failure(ending, job.group.reason, stderr: job.errors.takeTail())
    stderr.free(job.errors)
    let claim = job.claim.take()
    source.takeSignals()
    if let signal = job.group.interruption(source.stops) {
      interruption = signal
      return try claimer.giveBack(claim)
    }
    if job.group.wantsTerminal { advise() }
    switch Verdict(ending, wasEnded: job.group.isTerminated) {
    case .acknowledge: try claimer.done(claim)
    case .bury: try tell(claim, failure, claimer.bury)
    case .retry: try tell(claim, failure, claimer.retry)
    case .stop:
      fault =
        fault
        ?? Fault(
          .unavailable,
          "\(printable(launcher.name)): \(failure.reason); its batch was given back")
      try claimer.giveBack(claim)
    }
    try claimer.sync.flushIfDue()
  }

  // Once.
  private func advise() {
    if !isAdvised { stderr.say(WorkerGroup.terminalAdvice) }
    isAdvised = true
  }

  private func tell(
    _ claim: consuming Claim, _ failure: Failure,
    _ settle: (consuming Claim, Failure) throws(Fault) -> Disposal
  ) throws(Fault) {
    someFailed = true
    let what = "\(claim.label): \(failure.reason) (attempt \(claim.attempt))"
    stderr.say("\(what); \(try settle(claim, failure).text)")
  }

  // A second signal: the commands get it too, and what they held goes back as if never tried.
  private func abandon(_ signal: Int32) throws(Fault) -> Never {
    for job in running {
      job.group.worker.terminate()
      try claimer.giveBack(job.claim.take())
    }
    try claimer.sync.flush()
    stderr.pass()
    die(of: signal)
  }
}
