package import PipeIO
internal import PipeQueue

/// `consume -- CMD`: runs the command for each batch, several at once, and settles the batch by the
/// exit status.
///
/// Each concurrent command has its own owner slot, which it inherits: its claim lives as long as
/// this process or the command. If a command leaves processes behind, the next command gets another
/// slot, because they still hold the old one.
package final class CommandRunner {
  private let source: BatchSource
  private let claimer: Claimer
  private let stderr: StderrForwarder
  private let launcher: Launcher
  private let jobs: Int
  private let timeout: Int64?
  private var running: [Job] = []
  /// Owner slots, by the stderr descriptor of the commands that inherit them.
  private var owners: [Int32: Owner] = [:]
  private let leftBehind = LeftBehind()
  private var someFailed = false
  /// The signal that ended a command sharing the terminal with this process.
  private var interruption: Int32?
  private var isAdvised = false
  /// A command failed after the reader of stdout had gone.
  private var hasLostReader = false
  /// The fault after which no command is started; thrown once the running ones are settled.
  private var fault: Fault?
  private var faults = 0

  /// After more faults than this, nothing is waited for.
  private static let mostFaults = 8

  private struct Job {
    var group: ProcessGroup
    let claim: HeldClaim
    let errors: StderrCapture
    let owner: Owner?
  }

  package init(
    _ source: BatchSource, _ diagnostics: Diagnostics, jobs: Int, envelope: Bool, timeout: Int64?
  ) {
    self.source = source
    stderr = StderrForwarder(diagnostics)
    self.jobs = jobs
    self.timeout = timeout
    claimer = source.claimer
    launcher = Launcher(
      source.queue, envelope: envelope, runsAlone: jobs == 1 && timeout == nil)
  }

  package func run() throws(Fault) -> Int32 {
    var mayBeReady = true
    while true {
      if mayBeReady { mayBeReady = startSome() }
      let isWaiting = source.mayGoOn && fault == nil
      if running.isEmpty, !isWaiting, !mayBeReady { break }
      do throws(Fault) {
        if try wait(forReady: hasRoom && isWaiting, deadline: mayBeReady ? 0 : nil) {
          mayBeReady = true
        }
      } catch { try note(error) }
      // Before ended commands are collected: no event reports the end of a killed group.
      for index in running.indices { running[index].group.enforce() }
      if settleEnded() { mayBeReady = true }
      if source.mustDie != nil {
        abandon()
        return Exit.someFailed
      }
    }
    try stderr.finish(source)
    if let fault { throw fault }
    if let interruption { die(of: interruption) }
    if hasLostReader { throw Fault.brokenPipe }
    return someFailed ? Exit.someFailed : Exit.fine
  }

  // Running commands are still waited for: otherwise their claims would become those of a dead
  // process.
  private func note(_ fault: Fault) throws(Fault) {
    self.fault = self.fault ?? fault
    faults += 1
    if faults > CommandRunner.mostFaults { throw fault }
  }

  private var hasRoom: Bool { running.count < jobs && stderr.hasRoom }

  private func wait(forReady: Bool, deadline: Int64?) throws(Fault) -> Bool {
    let next = deadline ?? running.compactMap(\.group.wakeUp).min()
    defer { stderr.pass() }
    let hadRoom = stderr.hasRoom
    let look = try source.wait(forReady: forReady, until: next, events: stderr.events())
    return look || !hadRoom
  }

  /// Starts commands while there is room and items are ready, at most 16 at a time, so that signals
  /// and ended commands are handled in between. Returns whether more may be ready.
  private func startSome() -> Bool {
    for _ in 0..<16 where hasRoom && fault == nil {
      do throws(Fault) {
        let errors = try stderr.pipe()
        guard let claim = try next(errors) else {
          stderr.free(errors)
          return false
        }
        try start(claim, errors)
      } catch {
        // Running commands may free room when they end.
        if error.kind == .tryLater, !running.isEmpty { return false }
        fault = error
      }
    }
    return hasRoom && fault == nil
  }

  // Claims with the owner slot that the command will inherit.
  private func next(_ errors: StderrCapture) throws(Fault) -> Claim? {
    do throws(Fault) {
      guard try source.change(to: &owners[errors.readingNumber]) else { return nil }
      return try source.next(size: source.limits.size ?? 1)
    } catch {
      stderr.free(errors)
      throw error
    }
  }

  private func start(_ claim: consuming Claim, _ errors: StderrCapture) throws(Fault) {
    var isUsed = false
    defer { if !isUsed { stderr.free(errors) } }
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
          group: ProcessGroup(worker, deadline: deadline), claim: HeldClaim(claim), errors: errors,
          owner: owners[errors.readingNumber]))
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
    let over = running.filter(\.group.isOver)
    guard !over.isEmpty else { return false }
    running.removeAll(where: \.group.isOver)
    let isTidy = !leftBehind.hasMore(than: running.map(\.group.worker.process))
    for job in over {
      if !isTidy { owners[job.errors.readingNumber] = nil }
      do throws(Fault) { try settle(job) } catch { fault = fault ?? error }
    }
    return true
  }

  private func settle(_ job: Job) throws(Fault) {
    guard let ending = job.group.ending else { return }
    let failure = Failure(ending, job.group.reason, stderr: job.errors.takeTail())
    stderr.free(job.errors)
    let claim = job.claim.take()
    _ = try claimer.change(to: job.owner)
    source.takeSignals()
    if let signal = job.group.interruption(source.stops) {
      interruption = signal
      return try claimer.giveBack(claim)
    }
    if job.group.wantsTerminal { advise() }
    switch ExitDisposition(ending, wasEnded: job.group.isTerminated) {
    case .acknowledge: try claimer.done(claim)
    case .bury: try settleAndReport(claim, failure, claimer.bury)
    case .retry:
      source.checkReader()
      if source.isReaderGone, !job.group.isTerminated {
        // Presumably the command could not write, and the item is not to blame.
        hasLostReader = true
        try claimer.giveBack(claim)
      } else {
        try settleAndReport(claim, failure, claimer.retry)
      }
    case .stop:
      fault =
        fault
        ?? Fault(
          .unavailable,
          "\(printable(launcher.name)): \(failure.reason); its batch was given back")
      try claimer.giveBack(claim)
    }
  }

  // Prints the advice once.
  private func advise() {
    if !isAdvised { stderr.say(ProcessGroup.terminalAdvice) }
    isAdvised = true
  }

  private func settleAndReport(
    _ claim: consuming Claim, _ failure: Failure,
    _ settle: (consuming Claim, Failure) throws(Fault) -> Disposal
  ) throws(Fault) {
    someFailed = true
    let what = "\(claim.label): \(failure.reason) (attempt \(claim.attempt))"
    stderr.say("\(what); \(try settle(claim, failure).text)")
  }

  // At a second signal, running commands get SIGTERM and their batches are given back, no attempt
  // counted.
  private func abandon() {
    for job in running {
      job.group.worker.terminate()
      // A lost claim does not keep the others from being given back.
      try? claimer.giveBack(job.claim.take())
    }
    stderr.pass()
  }
}
