internal import Glibc
internal import PipeIO
internal import PipeQueue

/// `consume -- CMD`: runs the command for each batch, several at once, and settles by its exit status.
final class CommandRunner {
  private let source: BatchSource
  private let claimer: Claimer
  private let diagnostics: Diagnostics
  private let launcher: Launcher
  private let jobs: Int
  private let timeout: Int64?
  private var running: [Job] = []
  private var someFailed = false
  /// Why no more is started: thrown once what runs is settled.
  private var fault: Fault?

  private struct Job {
    let worker: Worker
    let claim: HeldClaim
    /// When it gets the next signal.
    var deadline: Int64?
    var isTerminated = false
  }

  /// From SIGTERM to SIGKILL. Microseconds.
  private static let grace: Int64 = 5_000_000

  init(
    _ source: BatchSource, _ diagnostics: Diagnostics, jobs: Int, envelope: Bool, timeout: Int64?
  ) {
    self.source = source
    self.diagnostics = diagnostics
    self.jobs = jobs
    self.timeout = timeout
    claimer = source.claimer
    launcher = Launcher(source.queue, envelope: envelope)
  }

  func run() throws(Fault) -> Int32 {
    var mayBeReady = true
    while true {
      if mayBeReady { mayBeReady = startSome() }
      let isWaiting = source.mayGoOn && fault == nil
      if running.isEmpty, !isWaiting, !mayBeReady { break }
      let hasRoom = running.count < jobs
      let deadline = mayBeReady ? 0 : nextDeadline()
      if try source.wait(forReady: hasRoom && isWaiting, until: deadline) { mayBeReady = true }
      if settleEnded() { mayBeReady = true }
      if let signal = source.mustDie { try abandon(signal) }
      enforceTimeouts()
    }
    try claimer.sync.flush()
    if let fault { throw fault }
    return someFailed ? Exit.someFailed : Exit.fine
  }

  /// Starts commands until there is no more room, or nothing more is ready; but only some at a time, so
  /// that signals and those that have ended get their turn. Returns whether there may be more.
  private func startSome() -> Bool {
    for _ in 0..<16 where running.count < jobs && fault == nil {
      do throws(Fault) {
        guard let claim = try source.next(size: source.limits.size ?? 1) else { return false }
        try start(claim)
      } catch {
        // With commands running, room may come when they end.
        if error.kind == .tryLater, !running.isEmpty { return false }
        fault = error
      }
    }
    return running.count < jobs && fault == nil
  }

  private func start(_ claim: consuming Claim) throws(Fault) {
    // Nothing but damage, which was reported when it was read.
    if claim.items.isEmpty { return try claimer.done(claim) }
    let result: Command.Start
    do throws(Fault) { result = try launcher.start(claim, lock: claimer.lockDescriptor) } catch {
      try claimer.giveBack(claim)
      throw error
    }
    switch result {
    case .running(let worker):
      let deadline = timeout.map { Clock.steady() + $0 }
      running.append(Job(worker: worker, claim: HeldClaim(claim), deadline: deadline))
    case .refused(let reason):
      try claimer.giveBack(claim)
      throw Fault(.unavailable, "\(reason); its batch was given back")
    }
  }

  private func settleEnded() -> Bool {
    var any = false
    while let (process, ending) = Worker.ended() {
      guard let index = running.firstIndex(where: { $0.worker.process == process }) else {
        continue
      }
      any = true
      let job = running.remove(at: index)
      do throws(Fault) { try settle(job, ending) } catch { fault = fault ?? error }
    }
    return any
  }

  private func settle(_ job: Job, _ ending: Worker.Ending) throws(Fault) {
    let claim = job.claim.take()
    switch Verdict(ending, timedOut: job.isTerminated) {
    case .acknowledge: try claimer.done(claim)
    case .stop(let reason):
      fault =
        fault
        ?? Fault(
          .unavailable, "\(printable(launcher.name)): \(reason); its batch was given back")
      try claimer.giveBack(claim)
    case .retry(let reason):
      someFailed = true
      diagnostics.say("\(claim.label): \(reason) (attempt \(claim.attempt)); ready again")
      _ = try claimer.retry(claim, Failure(reason))
    }
    try claimer.sync.flushIfDue()
  }

  private func nextDeadline() -> Int64? { running.compactMap(\.deadline).min() }

  private func enforceTimeouts() {
    let now = Clock.steady()
    for index in running.indices {
      guard let deadline = running[index].deadline, deadline <= now else { continue }
      if running[index].isTerminated {
        running[index].worker.destroy()
        running[index].deadline = nil
      } else {
        running[index].worker.terminate()
        running[index].isTerminated = true
        running[index].deadline = now + CommandRunner.grace
      }
    }
  }

  // A second signal: the commands get it too, and what they held goes back as if never tried.
  private func abandon(_ signal: Int32) throws(Fault) -> Never {
    for job in running {
      job.worker.terminate()
      try claimer.giveBack(job.claim.take())
    }
    try claimer.sync.flush()
    die(of: signal)
  }
}

/// What an exit status means for the batch (pipe-consume(1), EXIT STATUS OF THE COMMAND).
enum Verdict: Equatable {
  case acknowledge
  /// The command cannot do its work at all: it is of no use to try other batches.
  case stop(String)
  case retry(String)

  init(_ ending: Worker.Ending, timedOut: Bool) {
    switch ending {
    case _ where timedOut: self = .retry("timed out")
    case .exited(0): self = .acknowledge
    case .exited(let status) where [64, 69, 77, 78, 126, 127].contains(status):
      self = .stop("exit \(status)")
    case .exited(let status): self = .retry("exit \(status)")
    case .killed(let signal): self = .retry("killed by signal \(signal)")
    }
  }
}
