internal import PipeIntake
package import PipeIO
internal import PipeEngine
package import PipeTime

/// `consume --stream -- CMD`: one worker for all batches, which answers each line with a line of
/// its own.
package final class StreamRunner {
  private let source: BatchSource
  private let claimer: Claimer
  private let launcher: Launcher
  private let timeout: TimeSpan?
  private var linesLeft: Int
  private let window: StreamWindow
  private let stderr: OutputForwarder
  private let events = Events()
  private var worker: StreamWorker?
  private var stall: StreamStall
  private var mayBeReady = true
  /// Nothing more is claimed.
  private var isClosing = false
  /// The worker closed its stdin or its stdout while more lines could come.
  private var hasLeft = false
  /// Why the worker was terminated.
  private var terminationReason: StreamEnd.TerminationReason?
  private var someFailed = false
  /// The fault that stopped claiming; thrown once the worker has ended.
  private var fault: Fault?

  /// `lastAttempt`: number of the attempt after which a failed item is buried.
  package init(
    _ source: BatchSource, _ diagnostics: Diagnostics, timeout: TimeSpan?, lastAttempt: Int
  ) throws(Fault) {
    self.source = source
    self.timeout = timeout
    claimer = source.claimer
    linesLeft = source.limits.batches
    launcher = try Launcher(source.queue, .stdin(.envelope), runsAlone: timeout == nil)
    window = StreamWindow(
      size: source.limits.size ?? 1, lastAttempt: lastAttempt, isPaced: source.limits.every > .zero)
    stderr = OutputForwarder(diagnostics)
    stall = StreamStall()
  }

  package func run() throws(Fault) -> Int32 {
    while true {
      if let worker, worker.group.isOver { break }
      claim()
      if worker == nil, isClosing { break }
      keep { () throws(Fault) in try exchange() }
      if source.mustDie != nil {
        try abandon()
        return Exit.someFailed
      }
      if !source.stops.isEmpty || source.isReaderGone { stop() }
      while let (process, change) = Worker.change() {
        if worker?.group.worker.process == process { worker?.group.note(change) }
      }
      if let group = worker?.group, group.wantsTerminal, terminationReason == nil { end(.terminal) }
      enforceTimeout()
      if claimer.isFenced, worker != nil, terminationReason == nil { end(.fenced) }
    }
    return try conclude()
  }

  // A fault ends the run, but only after the worker's end.
  private func keep(_ body: () throws(Fault) -> Void) {
    do throws(Fault) { try body() } catch {
      fault = fault ?? error
      stop()
    }
  }

  // Claims while there is room, starts the worker for the first line, and hands out lines.
  private func claim() {
    keep { () throws(Fault) in
      while mayBeReady, !isClosing, window.wantsMore, stderr.hasRoom {
        let size = window.wanted(lines: linesLeft)
        guard source.mayStart, linesLeft > 0 else {
          isClosing = true
          break
        }
        guard let claim = try source.next(size: size, bytes: window.wantedBytes) else {
          mayBeReady = false
          isClosing = !source.mayGoOn
          break
        }
        try take(claim)
      }
      guard let worker else { return }
      window.handOut(to: worker.input)
      try worker.input.push()
      if isClosing, window.isAllHandedOut, worker.input.isEmpty { worker.input.finish() }
    }
  }

  private func take(_ claim: consuming Claim) throws(Fault) {
    if worker == nil {
      do throws(Fault) { worker = try start() } catch {
        try claimer.giveBack(claim)
        throw error
      }
    }
    linesLeft -= window.add(claim)
    if linesLeft <= 0 { isClosing = true }
  }

  private func start() throws(Fault) -> StreamWorker {
    switch try StreamWorker.start(launcher, lock: claimer.lockDescriptor, try stderr.streams()) {
    case .running(let worker): return worker
    case .refused(let reason): throw source.stopped(reason)
    }
  }

  // Waits for an event, then takes answers and settles them.
  private func exchange() throws(Fault) {
    events.clear()
    stderr.want(events)
    worker?.want(events)
    let hasUse = !isClosing && window.wantsMore && stderr.hasRoom
    let look = try source.wait(
      forReady: hasUse && source.mayGoOn, until: deadline, events: events)
    if look { mayBeReady = true }
    stderr.pass(events)
    guard let worker else { return }
    try worker.push(events)
    try takeAnswers()
    if worker.input.isBroken || !worker.isAnswering {
      hasLeft = hasLeft || !isClosing
      stop()
    }
    if let text = stall.complaint(worker, window) { stderr.say("\(name): \(text)") }
  }

  private func takeAnswers() throws(Fault) {
    guard let worker else { return }
    if terminationReason != nil { return try worker.ignore() }
    let before = window.items
    let invalidAnswer = try worker.read { answer throws(Rejection) in
      for failed in try window.note(answer) { report(failed) }
    }
    if window.items < before { stall.note() }
    try window.settle(claimer)
    guard let (line, rejection) = invalidAnswer else { return }
    let byte = rejection.byte.map { "byte \($0): " } ?? ""
    stderr.say("\(name): line \(line): \(byte)\(printable(rejection.reason))")
    end(.invalidAnswer)
  }

  private func report(_ answered: StreamWindow.Answered) {
    someFailed = true
    let first = answered.index ?? answered.line.items.lowerBound
    stderr.say(window.message(answered), id: answered.line.flight.items[first].entry)
  }

  private var name: String { printable(launcher.name) }

  private var deadline: SteadyInstant? {
    guard let worker else { return nil }
    let late =
      terminationReason == nil && window.items > 0 ? timeout.map { window.oldestSince + $0 } : nil
    return [worker.group.wakeUp, late, stall.deadline(window)].compactMap { $0 }.min()
  }

  private func enforceTimeout() {
    if let timeout, terminationReason == nil, let line = window.oldest, worker != nil,
      window.oldestSince + timeout <= Clock.steady()
    {
      end(.timedOut(line))
    }
    worker?.group.enforce()
  }

  private func end(_ terminationReason: StreamEnd.TerminationReason) {
    self.terminationReason = terminationReason
    stop()
    worker?.group.terminate()
  }

  // No more lines: those that have not entered the worker's pipe are given back, and its stdin will
  // be closed.
  private func stop() {
    isClosing = true
    guard let worker else { return }
    window.withdraw(from: worker.input)
    do throws(Fault) { try window.settle(claimer) } catch { fault = fault ?? error }
  }

  private func abandon() throws(Fault) {
    worker?.group.worker.terminate()
    stop()
    _ = window.giveBack(taken: 0) { _ in false }
    try window.settle(claimer)
  }

  private func conclude() throws(Fault) -> Int32 {
    defer { self.worker = nil }
    var status = someFailed ? Exit.someFailed : Exit.fine
    if let worker {
      // Answers that the worker wrote before its end still count, as far as 64 reads reach.
      for _ in 0..<64 where terminationReason == nil && worker.isAnswering && worker.hasAnswers {
        keep { () throws(Fault) in try takeAnswers() }
      }
      source.takeSignals()
      let end = StreamEnd(
        name: name, terminationReason: terminationReason, wasToldToEnd: isClosing && !hasLeft,
        isInterrupted: worker.group.interruption(source.stops) != nil)
      let (word, fault) = end.settle(worker, window, claimer, stderr)
      self.fault = self.fault ?? fault
      status = max(status, word)
    }
    try stderr.finish(source)
    if let fault { throw fault }
    return status
  }
}
