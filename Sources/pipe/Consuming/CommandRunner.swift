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
  private var refusal: String?

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
    _ source: BatchSource, _ diagnostics: Diagnostics, command: [String], jobs: Int, envelope: Bool,
    timeout: Int64?
  ) {
    self.source = source
    self.diagnostics = diagnostics
    self.jobs = jobs
    self.timeout = timeout
    claimer = source.claimer
    launcher = Launcher(source.queue, command, envelope: envelope)
  }

  func run() throws(Fault) -> Int32 {
    var mayBeReady = true
    while true {
      if mayBeReady { try startSome() }
      mayBeReady = false
      let isWaiting = source.limits.follow && source.mayStart && refusal == nil
      if running.isEmpty, !isWaiting { break }
      let hasRoom = running.count < jobs
      if try source.wait(forReady: hasRoom && isWaiting, until: nextDeadline()) {
        mayBeReady = true
      }
      if try settleEnded() { mayBeReady = true }
      if let signal = source.mustDie { try abandon(signal) }
      enforceTimeouts()
    }
    try claimer.sync.flush()
    if let refusal { throw Fault(.unavailable, refusal) }
    return someFailed ? Exit.someFailed : Exit.fine
  }

  /// Starts commands until there is no more room, or nothing more is ready.
  private func startSome() throws(Fault) {
    while running.count < jobs, refusal == nil {
      guard let claim = try source.next(size: source.limits.size ?? 1) else { return }
      if claim.items.isEmpty {
        // Nothing but damage, which was reported when it was read.
        try claimer.done(claim)
        continue
      }
      switch try launcher.start(claim, lock: claimer.lockDescriptor) {
      case .running(let worker):
        let deadline = timeout.map { Clock.steady() + $0 }
        running.append(Job(worker: worker, claim: HeldClaim(claim, start: 0), deadline: deadline))
      case .refused(let reason):
        refusal = reason + "; its batch was given back"
        try claimer.giveBack(claim)
      }
    }
  }

  private func settleEnded() throws(Fault) -> Bool {
    var any = false
    while let (process, ending) = Worker.ended() {
      guard let index = running.firstIndex(where: { $0.worker.process == process }) else {
        continue
      }
      any = true
      let job = running.remove(at: index)
      try settle(job, ending)
    }
    return any
  }

  private func settle(_ job: Job, _ ending: Worker.Ending) throws(Fault) {
    let claim = job.claim.take()
    switch Verdict(ending, timedOut: job.isTerminated) {
    case .acknowledge: try claimer.done(claim)
    case .stop(let reason):
      refusal = refusal ?? "\(printable(launcher.name)): \(reason); its batch was given back"
      try claimer.giveBack(claim)
    case .retry(let reason):
      someFailed = true
      diagnostics.say("\(claim.label): \(reason) (attempt \(claim.attempt)); ready again")
      try claimer.retry(claim)
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
