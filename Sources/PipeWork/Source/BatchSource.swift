internal import Glibc
package import PipeIO
package import PipeQueue
internal import PipeRender

package struct Limits {
  /// Items per batch; nil for an efficient number.
  let size: Int?
  package let batches: Int
  let follow: Bool
  /// Minimum microseconds from the start of one batch to the start of the next; 0 for none.
  package var every: Int64 = 0

  package init(size: Int?, batches: Int, follow: Bool, every: Int64 = 0) {
    self.size = size
    self.batches = batches
    self.follow = follow
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
  private let watch: Watch?
  private var lookAgain: Int64?
  private var pause: Int64 = 0
  /// Something is ready, but the next batch is not due yet.
  private var isPaced = false
  private(set) var started = 0
  private lazy var steps = ClockSteps()
  /// Wall clock minus `Clock.steady` when the last claim attempt found nothing.
  private var clockOffset: Int64 = 0
  private let reader = OutputReader()
  /// Whether stdout's reader has gone; then nothing more is started.
  private(set) var isReaderGone = false
  /// Whether a SIGCHLD was taken since the last wait: the next wait must return at once, because no other
  /// signal reports that child again.
  private var hasChildChanged = false

  package init(_ queue: Queue, _ limits: Limits) throws(Fault) {
    self.queue = queue
    self.limits = limits
    claimer = Claimer(queue, hidesOwnFailures: !limits.follow)
    signals = try SignalQueue(
      [SignalQueue.terminate, SignalQueue.interrupt, SignalQueue.child], interruptsLocks: true)
    watch = limits.follow ? try queue.watchReady() : nil
    if limits.every > 0 { Clock.sharpen() }
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
      guard let claim = try claim(size: min(size, Limits.mostItems), bytes: bytes) else {
        isPaced = claimer.isPaced
        clockOffset = Clock.now() - Clock.steady()
        return nil
      }
      if claim.items.isEmpty {
        // All of its items are damaged, which was reported when they were read.
        try claimer.done(claim)
        continue
      }
      started += 1
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
  func change(to owner: inout Owner?) throws(Fault) -> Bool {
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

  /// Whether another batch may still be started without any outside event.
  var mayGoOn: Bool { mayStart && (limits.follow || isPaced) }

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
    forReady: Bool, until deadline: Int64? = nil, output: OutputEvent? = nil,
    events: Events? = nil
  ) throws(Fault) -> Bool {
    var poller = Poller()
    let signal = poller.watch(signals.number)
    let watched = forReady ? watch.map { poller.watch($0.number) } : nil
    var written: Int?
    if let output {
      if case .reads(_, let reads) = output { _ = poller.watch(reads.number) }
      let interest: Poller.Interest = if case .room = output { .writing } else { .breaking }
      written = poller.watch(output.pipe.number, for: interest)
    }
    let broken =
      output == nil && !isReaderGone
      ? reader.map { poller.watch($0.number, for: .breaking) } : nil
    events?.add(to: &poller)
    // A consumer that cannot use more items now must not be woken for them repeatedly.
    let turn = forReady && mayGoOn ? claimer.nextPoll : nil
    var looks = forReady && mayGoOn ? [lookAgain, turn.map { $0 - earliness }] : []
    // Delayed items wait for a time of day, which comes sooner if the clock is set forward.
    let clock = turn != nil && !isPaced ? poller.watch(steps.number) : nil
    if clock != nil { looks.append(Clock.steady() + BatchSource.clockPause) }
    let now = hasChildChanged ? Clock.steady() : nil
    try poller.wait(
      until: ([now, deadline, claimer.sync.deadline] + looks).compactMap { $0 }.min())
    events?.note(poller)
    try claimer.sync.flushIfDue()
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
    return abs(Clock.now() - Clock.steady() - clockOffset) > 1_000_000
  }

  // The kernel reports a closed slot just before it releases the slot's lock, so a later claim
  // attempt is needed.
  private func isWorthPolling(_ isTold: Bool, forReady: Bool) -> Bool {
    let now = Clock.steady()
    if forReady, let again = lookAgain, again <= now {
      // On a busy machine, a dying process may take long to end: try again after a longer pause.
      pause *= 4
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
      return Queue.meansReady(name)
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

  /// The time that the kernel usually needs to wake a process, at most: waking this much earlier
  /// keeps the pace to the microsecond. Microseconds.
  private static let wakeUp: Int64 = 100

  private var earliness: Int64 { isPaced ? BatchSource.wakeUp : 0 }

  /// Interval between checks of the wall clock: a tracer or a sandbox may shift it without an event
  /// from the kernel. Microseconds.
  private static let clockPause: Int64 = 5_000_000

  /// Pauses before another claim attempt after a slot was closed. Microseconds.
  private static let firstPause: Int64 = 20_000
  private static let longestPause: Int64 = 10_000_000

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
