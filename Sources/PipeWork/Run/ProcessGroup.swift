internal import PipeIO

/// A running command and its end: the end of its process or, if this process terminates it, of its
/// whole process group.
///
/// The command and the processes that it started have 5 s to end after SIGTERM. While they live,
/// the claim stays held, because they may still be working. Then they are killed.
struct ProcessGroup {
  let worker: Worker
  /// When the next signal is due. Microseconds of `Clock.steady`.
  private var deadline: Int64?
  private(set) var isTerminated = false
  private var isDestroyed = false
  private(set) var ending: Worker.Ending?
  /// It was terminated because it is in the background and wants the terminal.
  private(set) var wantsTerminal = false

  /// From SIGTERM to SIGKILL. Microseconds.
  private static let grace: Int64 = 5_000_000
  /// Poll interval: the kernel reports the end of a child, but not of a group. Microseconds.
  private static let pause: Int64 = 20_000

  /// `deadline`: when to terminate it.
  init(_ worker: Worker, deadline: Int64? = nil) {
    self.worker = worker
    self.deadline = deadline
  }

  /// The latest time to call `enforce`.
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

  /// Sends the signal that is due: SIGTERM, later SIGKILL.
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

  /// Why it was terminated; nil if it ended by itself.
  var reason: String? {
    isTerminated ? (wantsTerminal ? "wants the terminal" : "timed out") : nil
  }

  /// Advice for a command that wants the terminal.
  static let terminalAdvice =
    "a command can use the terminal only alone and in the foreground: leave out -j and --timeout"

  /// The signal of `stops` that ended it, if it was typed at the terminal and reached this process
  /// too.
  func interruption(_ stops: [Int32]) -> Int32? {
    guard !worker.leadsGroup, let ending else { return nil }
    return stops.first { ending == .killed(signal: $0) || ending == .exited(128 + $0) }
  }

  /// The kernel may give the id of an empty group to a new one, but not within one `pause`.
  var isOver: Bool {
    ending != nil && (!isTerminated || isDestroyed || !worker.hasGroup)
  }
}
