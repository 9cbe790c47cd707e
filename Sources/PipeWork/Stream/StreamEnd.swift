internal import PipeEngine
internal import PipeIntake
internal import PipeIO
internal import PipeRender
internal import PipeTime

/// The end of a worker: decides its unanswered items.
struct StreamEnd {
  /// Why the worker was terminated.
  enum TerminationReason {
    case invalidAnswer
    case timedOut(StreamLine)
    /// The worker is in the background and wants the terminal.
    case terminal
    /// Another process may soon get the claims.
    case fenced
  }

  let name: String
  let terminationReason: TerminationReason?
  /// Whether no more lines were to come when it ended or closed its stdin or stdout.
  let wasToldToEnd: Bool
  /// Whether a signal typed at the terminal ended it.
  let isInterrupted: Bool

  /// Returns the exit status for the run.
  func settle(
    _ worker: StreamWorker, _ window: StreamWindow, _ claimer: Claimer, _ stderr: OutputForwarder
  ) -> (status: Int32, fault: Fault?) {
    do throws(Fault) {
      return (try settled(worker, window, claimer, stderr), nil)
    } catch {
      return (Exit.someFailed, error)
    }
  }

  private func settled(
    _ worker: StreamWorker, _ window: StreamWindow, _ claimer: Claimer, _ stderr: OutputForwarder
  ) throws(Fault) -> Int32 {
    guard let ending = worker.group.ending else { return Exit.fine }
    let failure = Failure(ending, reason, stderr: worker.errors.errors.take().letter)
    window.withdraw(from: worker.input)
    let verdict = verdict(ending)
    let back = window.giveBack(taken: worker.input.taken) { line in
      switch terminationReason {
      case .invalidAnswer, .fenced: false
      case .timedOut(let late): line === late
      case .terminal, nil: verdict == .failed && !isInterrupted
      }
    }
    try window.settle(claimer)
    let late = isLate ? window.oldest?.label : nil
    let (count, disposals) = try window.retryOpen(claimer, failure)
    if case .invalidAnswer = terminationReason { return Exit.data }
    if case .terminal = terminationReason { stderr.say(ProcessGroup.terminalAdvice) }
    if verdict == .stop {
      throw Fault(.unavailable, "\(name): \(failure.reason); \(counted(back, "item")) given back")
    }
    let what = count > 0 ? disposed(count, disposals) : nil
    let returned = back > 0 ? "\(counted(back, "item")) given back" : nil
    let rest = [what, returned].compactMap { $0 }.joined(separator: "; ")
    if verdict == .failed || back > 0 {
      let reason = verdict == .failed ? failure.reason : "ended with items unanswered"
      stderr.say(
        "\(late.map { "\($0): " } ?? "")\(name): \(reason)" + (rest.isEmpty ? "" : "; \(rest)"))
      return Exit.someFailed
    }
    if wasToldToEnd { return Exit.fine }
    stderr.say("\(name): ended before its stdin was closed")
    return Exit.someFailed
  }

  private enum Verdict { case fine, failed, stop }

  private var isLate: Bool { if case .timedOut = terminationReason { true } else { false } }

  private var reason: String? {
    switch terminationReason {
    case .timedOut: "timed out"
    case .terminal: "wants the terminal"
    case .fenced: "the server was out of reach"
    case .invalidAnswer, nil: nil
    }
  }

  private func verdict(_ ending: Worker.Ending) -> Verdict {
    switch ExitDisposition(ending, wasEnded: reason != nil) {
    case .acknowledge: .fine
    case .stop: .stop
    case .retry, .bury: .failed
    }
  }

  private func disposed(_ count: Int, _ disposals: [Disposal]) -> String {
    var soonest: TimeSpan?
    var buried = 0
    for disposal in disposals {
      switch disposal {
      case .again(let wait): soonest = min(soonest ?? wait, wait)
      case .buried(let items): buried += items
      }
    }
    let again = soonest.map {
      "\(counted(count - buried, "item")) unanswered, \(Disposal.again(after: $0).text)"
    }
    let dead = buried > 0 ? Disposal.buried(items: buried).text : nil
    return [again, dead].compactMap { $0 }.joined(separator: "; ")
  }
}

/// Detects a deadlocked worker: it reads to the end of file before answering, never flushes, or
/// never reads. Warns once.
struct StreamStall {
  private var lastAnswer = Clock.steady()
  private var lastLook: SteadyInstant = .boot
  private var hasWarned = false

  mutating func note() { lastAnswer = Clock.steady() }

  private func due(_ window: StreamWindow) -> SteadyInstant {
    max(lastAnswer, window.oldestSince, lastLook) + Patience.span
  }

  func deadline(_ window: StreamWindow) -> SteadyInstant? {
    hasWarned || window.items == 0 ? nil : due(window)
  }

  /// Returns the warning if it is due. A worker that has taken part of its input, but not all, is
  /// working on it, however long that takes.
  mutating func complaint(_ worker: StreamWorker, _ window: StreamWindow) -> String? {
    guard !hasWarned, window.items > 0, Clock.steady() >= due(window) else { return nil }
    lastLook = Clock.steady()
    let taken = worker.input.taken
    guard taken == 0 || taken == worker.input.end else { return nil }
    hasWarned = true
    let open = "\(counted(window.items, "item")) handed out, no answer for \(Patience.span.words)"
    return taken == 0
      ? "\(open): it does not read its stdin"
      : "\(open): it is slow, or does not flush its answers; "
        + "it gets at most \(StreamWindow.mostItems) items ahead"
  }
}

/// The command of `consume --stream` while it runs: lines in, answers out.
final class StreamWorker {
  let input: WorkerInput
  let errors: OutputForwarder.Streams
  var group: ProcessGroup
  private let answers: LineReader
  private var reader = SettlementReader()
  /// Its stdout has not ended.
  private(set) var isAnswering = true

  /// Maximum bytes of an answer, which may repeat its whole batch line with other escapes.
  private static let longest = 32 << 20

  enum Start {
    case running(StreamWorker)
    case refused(String)
  }

  static func start(_ launcher: Launcher, lock: Int32?, _ errors: OutputForwarder.Streams)
    throws(Fault)
    -> Start
  {
    let input = try makePipe("stdin of the command")
    let output = try makePipe("stdout of the command")
    let streams = WorkerStreams(
      input: input.reading.fd, output: output.writing.fd, errors: errors.errors.writingFD)
    switch try launcher.start(streams, lock: lock) {
    case .refused(let reason): return .refused(reason)
    case .running(let worker):
      return .running(
        StreamWorker(worker, WorkerInput(input.writing), output.reading, errors))
    }
  }

  private init(
    _ worker: Worker, _ input: WorkerInput, _ output: Descriptor, _ errors: OutputForwarder.Streams
  ) {
    group = ProcessGroup(worker)
    self.input = input
    self.errors = errors
    answers = LineReader(output, limit: StreamWorker.longest)
  }

  func want(_ events: Events) {
    if isAnswering { events.want(answers.input.fd) }
    if let fd = input.fd { events.want(fd, input.isEmpty ? .breaking : .writing) }
  }

  /// After a wait: writes what fits, and notes that the worker has closed its stdin.
  func push(_ events: Events) throws(Fault) {
    if let fd = input.fd, input.isEmpty, events.isReady(fd) {
      return input.noteBroken()
    }
    try input.push()
  }

  var hasAnswers: Bool { answers.isReadable }

  /// Reads once; `take` gets each answer. Returns the fd of the first invalid line and the
  /// reason.
  func read(_ take: (Settlement) throws(Rejection) -> Void) throws(Fault) -> (Int, Rejection)? {
    guard isAnswering, answers.isReadable else { return nil }
    isAnswering = try answers.fill()
    while true {
      do throws(Rejection) {
        switch answers.next() {
        case .drained: return nil
        case .line(let line):
          let isFirst = answers.lineNumber == 1
          guard let text = Input.content(line, isFirst: isFirst) else { continue }
          try take(try reader.read(text))
        case .oversized: throw Rejection("is longer than \(StreamWorker.longest) bytes")
        }
      } catch { return (answers.lineNumber, error) }
    }
  }

  /// Discards what the worker writes, so that it can end.
  func ignore() throws(Fault) {
    guard isAnswering, answers.isReadable else { return }
    isAnswering = try answers.fill()
    while true {
      if case .drained = answers.next() { return }
    }
  }
}
