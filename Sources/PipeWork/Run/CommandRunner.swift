internal import Glibc
package import PipeIO
internal import PipeEngine
internal import PipeRender
package import PipeTime

/// `consume -- CMD`: runs the command for each batch, several at once, and settles the batch by the
/// exit status.
///
/// Each concurrent command has its own owner slot, which it inherits: its claim lives as long as
/// this process or the command. If a command leaves processes behind, the next command gets another
/// slot, because they still hold the old one.
package final class CommandRunner {
  private let source: BatchSource
  private let claimer: Claimer
  private let stderr: OutputForwarder
  private let launcher: Launcher
  private let jobs: Int
  private let timeout: TimeSpan?
  /// Bytes of each stream that the queue keeps; nil: none.
  private let keptLength: Int?
  private var running: [Job] = []
  /// Owner slots, by the stderr descriptor of the commands that inherit them.
  private var owners: [Int32: Claimer.Owner] = [:]
  private let leftBehind = LeftBehind()
  private var someFailed = false
  /// The signal that ended a command sharing the terminal with this process.
  private var interruption: Int32?
  private var isAdvised = false
  private var hasAdvisedOnStop = false
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
    let streams: OutputForwarder.Streams
    let started: Instant
    let owner: Claimer.Owner?
  }

  package init(
    _ source: BatchSource, _ diagnostics: Diagnostics, jobs: Int, input: CommandInput,
    keeping: OutputKeeping = OutputKeeping(), timeout: TimeSpan?
  ) throws(Fault) {
    self.source = source
    stderr = OutputForwarder(diagnostics, keeping)
    keptLength = keeping.limit
    self.jobs = jobs
    self.timeout = timeout
    claimer = source.claimer
    launcher = try Launcher(
      source.queue, input, runsAlone: jobs == 1 && timeout == nil)
  }

  package func run() throws(Fault) -> Int32 {
    var mayBeReady = true
    while true {
      if mayBeReady { mayBeReady = startSome() }
      let isWaiting = source.mayGoOn && fault == nil
      if running.isEmpty, !isWaiting, !mayBeReady, !isBlocked { break }
      do throws(Fault) {
        if try wait(forReady: hasRoom && isWaiting, deadline: mayBeReady ? .boot : nil) {
          mayBeReady = true
        }
      } catch { try note(error) }
      if claimer.isFenced {
        for index in running.indices {
          running[index].group.terminate("the server was out of reach")
        }
      }
      // Before ended commands are collected: no event reports the end of a killed group.
      for index in running.indices { running[index].group.enforce() }
      if settleEnded() { mayBeReady = true }
      adviseOnStop()
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

  // A person who types ^C should see why this process goes on.
  private func adviseOnStop() {
    guard source.stops.count == 1, !running.isEmpty, !hasAdvisedOnStop, isatty(STDERR_FILENO) != 0
    else { return }
    hasAdvisedOnStop = true
    stderr.say(
      "waiting for \(counted(running.count, "command")) to end, with \(source.waiting) unsettled;"
        + " ^C again ends this at once", .info)
  }

  // Running commands are still waited for: otherwise their claims would become those of a dead
  // process.
  private func note(_ fault: Fault) throws(Fault) {
    self.fault = self.fault ?? fault
    faults += 1
    if faults > CommandRunner.mostFaults { throw fault }
  }

  private var hasRoom: Bool { running.count < jobs && stderr.hasRoom }

  // Nothing runs and items are ready, but the output of earlier commands must be read first.
  private var isBlocked: Bool {
    fault == nil && running.isEmpty && !stderr.hasRoom && source.mayStart && source.hasReady
  }

  private func wait(forReady: Bool, deadline: SteadyInstant?) throws(Fault) -> Bool {
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
        let streams = try stderr.streams()
        guard let claim = try next(streams) else {
          stderr.free(streams)
          return false
        }
        guard let fitting = try fit(claim) else {
          stderr.free(streams)
          continue
        }
        try start(fitting, streams)
      } catch {
        // Running commands may free room when they end.
        if error.kind == .tryLater, !running.isEmpty { return false }
        fault = error
      }
    }
    return hasRoom && fault == nil
  }

  // Claims with the owner slot that the command will inherit.
  private func next(_ streams: OutputForwarder.Streams) throws(Fault) -> Claim? {
    do throws(Fault) {
      guard try source.change(to: &owners[streams.errors.readingFD]) else { return nil }
      return try source.next(
        size: min(source.limits.size ?? 1, launcher.most.items), bytes: launcher.most.bytes)
    } catch {
      stderr.free(streams)
      throw error
    }
  }

  /// Buries the items that the command cannot get; nil if there are no others.
  private func fit(_ claim: consuming Claim) throws(Fault) -> FittingClaim? {
    let addition = launcher.addition(claim)
    guard case .unfit(let unfit) = addition else {
      return FittingClaim(claim: claim, addition: addition)
    }
    someFailed = true
    for (index, reason) in unfit.sorted(by: { $0.key < $1.key }) {
      let item = claim.items[index]
      stderr.say(
        "\(item.entry.text) item \(item.index): \(reason); buried (dead letter)", id: item.entry)
    }
    let outcome = { (index: Int) in unfit[index].map { Outcome.bury(Failure($0)) } }
    guard let rest = try claimer.settle(claim, outcome) else { return nil }
    let others = launcher.addition(rest)
    return FittingClaim(claim: rest, addition: others)
  }

  /// A claim that the command can get, and its arguments.
  private struct FittingClaim: ~Copyable {
    let claim: Claim
    let addition: Launcher.Addition
  }

  private func start(
    _ fitting: consuming FittingClaim, _ streams: OutputForwarder.Streams
  ) throws(Fault) {
    let addition = fitting.addition
    let claim = fitting.claim
    var isUsed = false
    defer { if !isUsed { stderr.free(streams) } }
    let result: Command.Start
    do throws(Fault) {
      result = try launcher.start(
        claim, addition, lock: claimer.lockDescriptor, output: streams.output?.writingFD,
        errors: streams.errors.writingFD)
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
          group: ProcessGroup(worker, deadline: deadline), claim: HeldClaim(claim),
          streams: streams,
          started: Clock.now(),
          owner: owners[streams.errors.readingFD]))
    case .refused(let reason) where launcher.isOfJobs:
      try settleAndReport(claim, Failure("cannot start: \(reason)"), claimer.retry)
    case .refused(let reason):
      try claimer.giveBack(claim)
      throw source.stopped(reason)
    }
  }

  private func settleEnded() -> Bool {
    while let (process, change) = Worker.change() {
      if let index = running.firstIndex(where: { $0.group.worker.process == process }) {
        running[index].group.note(change)
      }
    }
    let over = running.filter(\.group.isOver)
    // Settling may wait for a server that is away; the others must be killed in time meanwhile.
    guard !over.isEmpty, !claimer.isFenced || over.count == running.count else { return false }
    running.removeAll(where: \.group.isOver)
    let isTidy = !leftBehind.hasMore(than: running.map(\.group.worker.process))
    for job in over {
      if !isTidy { owners[job.streams.errors.readingFD] = nil }
      do throws(Fault) { try settle(job) } catch { fault = fault ?? error }
    }
    return true
  }

  private func settle(_ job: Job) throws(Fault) {
    guard let ending = job.group.ending else { return }
    let errors = job.streams.errors.take()
    let output = job.streams.output?.take()
    let failure = Failure(ending, job.group.reason, stderr: errors.letter)
    stderr.free(job.streams)
    let claim = job.claim.take()
    _ = try claimer.change(to: job.owner)
    if let keptLength {
      claimer.keep(
        AttemptOutput(
          attempt: claim.attempt, started: job.started, ended: Clock.now(),
          exitStatus: failure.exitStatus, signal: failure.signal,
          stdout: (output ?? KeptOutput(limit: 0)).trimmed(to: keptLength),
          stderr: errors.trimmed(to: keptLength)),
        of: claim)
    }
    source.takeSignals()
    if let signal = job.group.interruption(source.stops) {
      interruption = signal
      return try claimer.giveBack(claim)
    }
    if job.group.wantsTerminal { advise() }
    switch disposition(ending, job) {
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
        ?? source.stopped("\(printable(launcher.name)): \(failure.reason)")
      try claimer.giveBack(claim)
    }
  }

  private func disposition(_ ending: Worker.Ending, _ job: Job) -> ExitDisposition {
    let found = ExitDisposition(ending, wasEnded: job.group.isTerminated)
    if case .stop = found, launcher.isOfJobs { return .retry }
    return found
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
    let entry = claim.items.first?.entry
    stderr.say("\(what); \(try settle(claim, failure).text)", id: entry)
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
