internal import PipeIO

/// A command that runs, and its end: that of its process, or, once it was asked to end, that of its whole
/// process group.
///
/// A command has 5 s to end, and so have the processes that it started: while those live the claim stays
/// held, since they may still be working, and then they are killed.
struct ProcessGroup {
  let worker: Worker
  /// When it gets the next signal. Microseconds of `Clock.steady`.
  private var deadline: Int64?
  private(set) var isTerminated = false
  private var isDestroyed = false
  private(set) var ending: Worker.Ending?
  /// It was ended because it is in the background and wants the terminal.
  private(set) var wantsTerminal = false

  /// From SIGTERM to SIGKILL. Microseconds.
  private static let grace: Int64 = 5_000_000
  /// The kernel tells of the end of a child, but not of that of a group.
  private static let pause: Int64 = 20_000

  /// `deadline`: when it is told to end.
  init(_ worker: Worker, deadline: Int64? = nil) {
    self.worker = worker
    self.deadline = deadline
  }

  /// When to call `enforce` at the latest.
  var wakeUp: Int64? {
    guard ending != nil, let deadline else { return deadline }
    return min(deadline, Clock.steady() + ProcessGroup.pause)
  }

  mutating func terminate() {
    guard !isTerminated else { return }
    isTerminated = true
    deadline = Clock.steady() + ProcessGroup.grace
    worker.terminate()
  }

  /// Sends what is due.
  mutating func enforce() {
    guard let deadline, deadline <= Clock.steady() else { return }
    guard isTerminated else { return terminate() }
    worker.destroy()
    isDestroyed = true
    self.deadline = nil
  }

  mutating func note(_ change: Worker.Change) {
    switch change {
    case .ended(let ending): self.ending = ending
    case .wantsTerminal where worker.leadsGroup:
      wantsTerminal = wantsTerminal || !isTerminated
      terminate()
    case .wantsTerminal: break
    }
  }

  /// Why it was ended; nil: it ended by itself.
  var reason: String? {
    isTerminated ? (wantsTerminal ? "wants the terminal" : "timed out") : nil
  }

  /// The way out for one that wants it.
  static let terminalAdvice =
    "a command can use the terminal only alone and in the foreground: leave out -j and --timeout"

  /// The signal that ended it, if it was typed at the terminal, for this process too: one of `stops`.
  func interruption(_ stops: [Int32]) -> Int32? {
    guard !worker.leadsGroup, let ending else { return nil }
    return stops.first { ending == .killed(signal: $0) || ending == .exited(128 + $0) }
  }

  /// A number that no process has any more may be given to a new group, but not within a `pause`.
  var isOver: Bool {
    ending != nil && (!isTerminated || isDestroyed || !worker.hasGroup)
  }
}
