internal import Glibc
package import PipeIO
package import PipeEngine
internal import PipeRender
package import PipeTime

package struct Limits {
  /// Items per batch; nil for an efficient number.
  let size: Int?
  package let batches: Int
  let follow: Bool
  /// Minimum time from the start of one batch to the start of the next; 0 for none.
  package var every: TimeSpan = .zero
  /// Waits for more until every item is done, dead or lost.
  let untilDone: Bool

  package init(
    size: Int?, batches: Int, follow: Bool, every: TimeSpan = .zero, untilDone: Bool = false
  ) {
    self.untilDone = untilDone
    self.size = size
    self.batches = batches
    self.follow = follow || untilDone
    self.every = every
  }

  /// Limits of a batch, which is held in memory; its first item alone may have more bytes.
  static let mostItems = 65_536
  static let mostBytes = 16 << 20
}

/// Supplies a consumer with batches, and waits for more.
package final class BatchSource {
  package let queue: Queue
  package let claimer: Claimer
  let limits: Limits
  let signals: SignalQueue
  private let watch: QueueWatch?
  private var lookAgain: SteadyInstant?
  private var pause: TimeSpan = .zero
  /// Something is ready, but the next batch is not due yet.
  private var isPaced = false
  private(set) var started = 0
  private lazy var steps = ClockSteps()
  /// `Clock.offset` just before the last claim attempt that found nothing.
  private var clockOffset: TimeSpan = .zero
  private let reader = OutputReader()
  /// Whether stdout's reader has gone; then nothing more is started.
  private(set) var isReaderGone = false
  /// Whether a SIGCHLD was taken since the last wait: the next wait must return at once, because no other
  /// signal reports that child again.
  private var hasChildChanged = false
  private var reportedPause: Instant?
  /// With `untilDone`: nothing is left to wait for.
  private var isAllDone = false
  private var progress: WorkProgress?
  /// Whether a person may want to know what this run leaves.
  private var isWatched = false
  /// Whether submitted commands are run, and not handed out as data.
  package var runsJobs = false
  private var hasNotedJobs = false

  package init(_ queue: Queue, _ limits: Limits) throws(Fault) {
    self.queue = queue
    self.limits = limits
    claimer = Claimer(queue, hidesOwnFailures: !limits.follow)
    signals = try SignalQueue(
      [SignalQueue.terminate, SignalQueue.interrupt, SignalQueue.child], interruptsLocks: true)
    watch = limits.follow ? try queue.watchReady() : nil
    if limits.every > .zero { Clock.sharpen() }
  }

  /// Shows a progress line from now on, if a person can see it. `sharesOutput`: as for `ProgressLine`.
  package func showProgress(sharesOutput: Bool = false) {
    progress = WorkProgress(sharesOutput: sharesOutput)
    isWatched = isatty(STDERR_FILENO) != 0
  }

  private func updateProgress() {
    progress?.update { (items: left, isAll: !limits.follow || limits.untilDone) }
  }

  // Items that this run will still take, if it ends by itself.
  private var left: Int {
    let lanes = (try? census()) ?? []
    let waiting = lanes.reduce(0) { $0 + $1.ready + (limits.untilDone ? $1.later : 0) }
    let most = (limits.batches - started).multipliedReportingOverflow(by: limits.size ?? 1)
    return most.overflow ? waiting : min(waiting, most.partialValue)
  }

  var mayStart: Bool { wouldStart && !isReaderGone }

  /// Whether another batch would be started if stdout had a reader.
  var wouldStart: Bool { stops.isEmpty && started < limits.batches }

  /// Checks whether stdout's reader has gone.
  func checkReader() {
    if !isReaderGone, reader?.isGone == true { isReaderGone = true }
  }

  /// The next batch if there is one now, never an empty one. Flushes what is due and takes the signals that
  /// have come.
  func next(size: Int, bytes: Int = Limits.mostBytes) throws(Fault) -> Claim? {
    isPaced = false
    try claimer.sync.flushIfDue()
    takeSignals()
    checkReader()
    while mayStart {
      // Read before the claim reads the clock, so that a step between the two is noticed.
      let offset = Clock.offset()
      guard let claim = try claim(size: min(size, Limits.mostItems), bytes: bytes) else {
        isPaced = claimer.isPaced
        notePause()
        try noteEnd()
        clockOffset = offset
        return nil
      }
      if claim.items.isEmpty {
        // All of its items are damaged, which was reported when they were read.
        try claimer.done(claim)
        continue
      }
      if claim.items[0].isJob { noteJobs() }
      started += 1
      progress?.take(claim.items.count)
      updateProgress()
      return claim
    }
    return nil
  }

  /// The next batch, once there is one; nil when this run may start no more.
  func nextWaiting(size: Int, bytes: Int = Limits.mostBytes) throws(Fault) -> Claim? {
    while true {
      if let claim = try next(size: size, bytes: bytes) { return claim }
      guard mayGoOn else { return nil }
      _ = try wait(forReady: true)
    }
  }

  private func claim(size: Int, bytes: Int) throws(Fault) -> Claim? {
    try unlessStopped { () throws(Fault) in
      try claimer.claim(size: size, bytes: bytes, every: limits.every)
    }
  }

  /// Selects the owner slot for the next claims; nil takes a new slot. Returns false if a signal to
  /// stop arrives.
  func change(to owner: inout Claimer.Owner?) throws(Fault) -> Bool {
    let old = owner
    guard
      let new = try unlessStopped({ () throws(Fault) in try claimer.change(to: old) })
    else { return false }
    owner = new
    return true
  }

  // nil if a signal to stop interrupts the wait for a lock: then nothing more is claimed.
  private func unlessStopped<Result: ~Copyable>(
    _ body: () throws(Fault) -> Result?
  ) throws(Fault) -> Result? {
    do throws(Fault) { return try Stops.impatiently(body) } catch {
      guard error.code == EINTR else { throw error }
      return nil
    }
  }

  // Says once that the queue is paused.
  private func notePause() {
    guard let pause = claimer.pause, pause.since != reportedPause else { return }
    reportedPause = pause.since
    queue.report("\(printable(queue.path)): \(pause.words); nothing is taken")
  }

  // Says once that commands do not run here.
  private func noteJobs() {
    if runsJobs || hasNotedJobs { return }
    hasNotedJobs = true
    queue.report(
      "\(printable(queue.path)): submitted commands are handed out as data; pipe work runs them")
  }

  // Says to a person which items this run leaves, because nothing else does.
  private func noteRest() {
    guard isWatched, !limits.follow, mayStart, claimer.pause == nil,
      let later = (try? census())?.reduce(0, { $0 + $1.later }), later > 0
    else { return }
    let begin = started == 0 ? "nothing is ready; " : ""
    let verb = later == 1 ? "waits" : "wait"
    queue.report(
      "\(printable(queue.path)): \(begin)\(counted(later, "item")) \(verb) for a later time or another"
        + " attempt: run this again then, or add --follow")
  }

  private func noteEnd() throws(Fault) {
    guard limits.untilDone, claimer.pause == nil, !isPaced else { return }
    isAllDone = try census().allSatisfy { $0.ready + $0.claimed + $0.later == 0 }
  }

  /// Whether another batch may still be started without any outside event.
  var mayGoOn: Bool { mayStart && !isAllDone && (limits.follow || isPaced) }

  /// An event to wait for at a pipe, besides the end of its reader.
  enum OutputEvent {
    case room(PipeOutput)
    /// The reader takes something.
    case reads(PipeOutput, Watch)
    case nothing(PipeOutput)

    var pipe: PipeOutput {
      switch self {
      case .room(let pipe), .reads(let pipe, _), .nothing(let pipe): pipe
      }
    }
  }

  /// Waits for a signal, a child's change of state, items that may be ready (only if `forReady`),
  /// an event at the output, one of `events`, or `deadline`. Returns whether a claim attempt may
  /// succeed.
  func wait(
    forReady: Bool, until deadline: SteadyInstant? = nil, output: OutputEvent? = nil,
    events: Events? = nil
  ) throws(Fault) -> Bool {
    var poller = Poller()
    let signal = poller.watch(signals.fd)
    let watched = forReady ? watch.map { poller.watch($0.fd) } : nil
    var written: Int?
    if let output {
      if case .reads(_, let reads) = output { _ = poller.watch(reads.fd) }
      let interest: Poller.Interest = if case .room = output { .writing } else { .breaking }
      written = poller.watch(output.pipe.fd, for: interest)
    }
    let connection = claimer.connection.map { poller.watch($0) }
    let broken =
      output == nil && !isReaderGone
      ? reader.map { poller.watch($0.fd, for: .breaking) } : nil
    events?.add(to: &poller)
    // A consumer that cannot use more items now must not be woken for them repeatedly.
    let turn = forReady && mayGoOn ? claimer.nextPoll : nil
    var looks = forReady && mayGoOn ? [lookAgain, turn.map { $0 - earliness }] : []
    // Delayed items wait for a time of day, which comes sooner if the clock is set forward.
    let clock = turn != nil && !isPaced ? poller.watch(steps.fd) : nil
    if clock != nil { looks.append(Clock.steady() + BatchSource.clockPause) }
    let now = hasChildChanged ? Clock.steady() : nil
    try poller.wait(
      until: ([now, deadline, claimer.sync.deadline, claimer.checkDeadline] + looks).compactMap {
        $0
      }
      .min())
    events?.note(poller)
    updateProgress()
    try claimer.sync.flushIfDue()
    try claimer.checkIfDue()
    if let connection, poller.isReady(connection) { try claimer.checkConnection() }
    if let written, poller.isBroken(written) { output?.pipe.noteBroken() }
    if let broken, poller.isBroken(broken) { isReaderGone = true }
    if poller.isReady(signal) { takeSignals() }
    hasChildChanged = false
    if isPaced, let turn, turn - Clock.steady() <= BatchSource.wakeUp { Clock.await(turn) }
    let isWorthPolling = isWorthPolling(watched.map(poller.isReady) ?? false, forReady: forReady)
    return clock != nil && isClockSet ? true : isWorthPolling
  }

  // Steps of less than a second are ignored: clocks are slewed, and items are late by no more than
  // that.
  private var isClockSet: Bool {
    steps.drain()
    return (Clock.offset() - clockOffset).magnitude > .seconds(1)
  }

  // The kernel reports a closed slot just before it releases the slot's lock, so a later claim
  // attempt is needed.
  private func isWorthPolling(_ isTold: Bool, forReady: Bool) -> Bool {
    let now = Clock.steady()
    if forReady, let again = lookAgain, again <= now {
      // On a busy machine, a dying process may take long to end: try again after a longer pause.
      pause = 4 * pause
      lookAgain = pause < BatchSource.longestPause ? now + pause : nil
      return true
    }
    if forReady, mayGoOn, let next = claimer.nextPoll, next <= now { return true }
    guard isTold, let watch else { return false }
    return watch.drain { name in
      if Queue.meansOwnerGone(name) {
        pause = BatchSource.firstPause
        lookAgain = now + pause
      }
      return Queue.meansReady(name) || limits.untilDone
    }
  }

  /// Runs a consumer to its end. When this returns, whatever it settled is on disk; after a second signal to
  /// stop, the process dies of it here.
  package func conclude(_ run: () throws(Fault) -> Int32) throws(Fault) -> Int32 {
    var status = Exit.fine
    var fault: Fault?
    do throws(Fault) { status = try run() } catch { fault = error }
    do throws(Fault) { try claimer.sync.flush() } catch { fault = fault ?? error }
    if let signal = mustDie { die(of: signal) }
    if let fault { throw fault }
    noteRest()
    let lost = claimer.lostItems
    if lost > 0 {
      throw Fault(
        .inputOutput,
        "\(printable(queue.path)): \(counted(lost, "item")) lost: damaged, or missing from"
          + " segments/ (see pipe list --state lost)")
    }
    if let fault = claimer.unreadable { throw fault }
    if isReaderGone, wouldStart { throw Fault.brokenPipe }
    return status
  }

  /// Reports that the command cannot work, and that nothing is lost by that.
  func stopped(_ reason: String) -> Fault {
    Fault(.unavailable, "\(reason); its batch was given back (\(waiting) waiting)")
  }

  /// Whether a claim attempt may succeed now; for rare cases, because it lists the queue.
  var hasReady: Bool {
    (try? census())?.contains { $0.ready > 0 } ?? false
  }

  /// The lanes that this consumer takes from.
  private func census() throws(Fault) -> [LaneCensus] {
    zip(Lane.allCases, try queue.census(at: Clock.now())).filter {
      claimer.lanes.contains($0.0)
    }.map(\.1)
  }

  /// The items that are not settled, for messages.
  var waiting: String {
    let lanes = (try? queue.census(at: Clock.now())) ?? []
    return counted(lanes.reduce(0) { $0 + $1.ready + $1.claimed + $1.later }, "item")
  }

  /// The time that the kernel usually needs to wake a process, at most: waking this much earlier
  /// keeps the pace to the microsecond.
  private static let wakeUp: TimeSpan = .microseconds(100)

  private var earliness: TimeSpan { isPaced ? BatchSource.wakeUp : .zero }

  /// Interval between checks of the wall clock: a tracer or a sandbox may shift it without an event
  /// from the kernel.
  private static let clockPause: TimeSpan = .seconds(5)

  /// Pauses before another claim attempt after a slot was closed.
  private static let firstPause: TimeSpan = .milliseconds(20)
  private static let longestPause: TimeSpan = .seconds(10)

  /// Takes the signals that have arrived, without waiting.
  func takeSignals() {
    while let signal = signals.take() {
      if signal == SignalQueue.child { hasChildChanged = true } else { Stops.note(signal) }
    }
  }

  /// Signals to stop that have arrived; after the second one nothing is waited for.
  var stops: [Int32] { Stops.signals }

  /// The signal to die of, once a second one has arrived.
  var mustDie: Int32? { stops.count > 1 ? stops.last : nil }
}

/// Boxes a claim, so that several can wait in a collection to be settled.
final class HeldClaim {
  private var claim: Claim?
  /// The output offset at which each item ends.
  let ends: [Int]

  init(_ claim: consuming Claim, ends: [Int] = []) {
    self.ends = ends
    self.claim = consume claim
  }

  /// Call this once.
  func take() -> Claim { claim.take()! }
}
