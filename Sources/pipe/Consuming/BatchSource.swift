internal import PipeIO
internal import PipeQueue

struct Limits {
  /// Items a batch; nil: whatever is fast.
  let size: Int?
  let batches: Int
  let follow: Bool
}

/// Where a consumer gets its batches, and what it waits for when there are none.
final class BatchSource {
  let queue: Queue
  let claimer: Claimer
  let limits: Limits
  let signals: SignalQueue
  private let watch: Watch?
  private(set) var started = 0
  /// Signals to stop that came; at the second one nothing is waited for.
  private(set) var stops: [Int32] = []

  init(_ queue: Queue, _ limits: Limits) throws(Fault) {
    self.queue = queue
    self.limits = limits
    claimer = Claimer(queue)
    signals = try SignalQueue([SignalQueue.terminate, SignalQueue.interrupt, SignalQueue.child])
    watch = limits.follow ? try queue.watchReady() : nil
  }

  var mayStart: Bool { stops.isEmpty && started < limits.batches }

  func next(size: Int, bytes: Int = .max) throws(Fault) -> Claim? {
    guard mayStart, let claim = try claimer.claim(size: size, bytes: bytes) else { return nil }
    started += 1
    return claim
  }

  /// Waits for a signal, a child, something that may be ready (only if `forReady`), or until `deadline`.
  /// `output`: also until this pipe takes more, or its reader goes. Returns whether to look for batches.
  func wait(
    forReady: Bool, until deadline: Int64? = nil, output: PipeOutput? = nil, writable: Bool = false
  ) throws(Fault) -> Bool {
    var poller = Poller()
    let signal = poller.watch(signals.number)
    let watched = forReady ? watch.map { poller.watch($0.number) } : nil
    let written = output.map { poller.watch($0.number, for: writable ? .writing : .breaking) }
    try poller.wait(until: [deadline, claimer.sync.deadline].compactMap { $0 }.min())
    try claimer.sync.flushIfDue()
    if let written, poller.isBroken(written) { output?.noteBroken() }
    if poller.isReady(signal) { takeSignals() }
    guard let watched, poller.isReady(watched) else { return false }
    return watch!.drain(Queue.meansReady)
  }

  /// Looks at the signals that have come, without waiting.
  func takeSignals() {
    while let signal = signals.take() {
      if signal != SignalQueue.child { stops.append(signal) }
    }
  }

  /// The signal to die of, once a second one has come.
  var mustDie: Int32? { stops.count > 1 ? stops.last : nil }
}
