internal import PipeEngine
internal import PipeIO
internal import PipeRender
internal import PipeTime

/// A running command and its end: the end of its process or, if this process terminates it, of its
/// whole process group.
///
/// The command and the processes that it started have `Patience.span` to end after SIGTERM. While they live,
/// the claim stays held, because they may still be working. Then they are killed.
struct ProcessGroup {
  let worker: Worker
  /// When the next signal is due. Of `Clock.steady`.
  private var deadline: SteadyInstant?
  private(set) var isTerminated = false
  private var why = ""
  private var isDestroyed = false
  private(set) var ending: Worker.Ending?
  /// It was terminated because it is in the background and wants the terminal.
  private(set) var wantsTerminal = false

  /// Poll interval: the kernel reports the end of a child, but not of a group.
  private static let pause: TimeSpan = .milliseconds(20)

  /// `deadline`: when to terminate it.
  init(_ worker: Worker, deadline: SteadyInstant? = nil) {
    self.worker = worker
    self.deadline = deadline
  }

  /// The latest time to call `enforce`.
  var wakeUp: SteadyInstant? {
    guard ending != nil, let deadline else { return deadline }
    return min(deadline, Clock.steady() + ProcessGroup.pause)
  }

  /// `why`: for the failure of its batch.
  mutating func terminate(_ why: String = "timed out") {
    guard !isTerminated else { return }
    isTerminated = true
    self.why = why
    deadline = Clock.steady() + Patience.span
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
    isTerminated ? (wantsTerminal ? "wants the terminal" : why) : nil
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

/// How long a consumer lets others take: a command after SIGTERM, a reader of its stderr, and a
/// worker or reader before the warning that nothing comes back. 5 s; a test shortens it with
/// `PIPE_TEST_PATIENCE`, in milliseconds.
enum Patience {
  static let span: TimeSpan =
    variable("PIPE_TEST_PATIENCE").flatMap { Int64($0) }.map { .milliseconds(max(0, $0)) }
    ?? .seconds(5)
}

/// The meaning of an exit status for the batch (pipe-consume(1), EXIT STATUS OF THE COMMAND).
enum ExitDisposition {
  case acknowledge
  case bury
  /// The command cannot do its work at all, so no other batch is tried.
  case stop
  case retry

  /// `wasEnded`: this process terminated the command.
  init(_ ending: Worker.Ending, wasEnded: Bool) {
    switch ending {
    case _ where wasEnded: self = .retry
    case .exited(0): self = .acknowledge
    case .exited(Exit.data): self = .bury
    case .exited(64), .exited(69), .exited(77), .exited(78), .exited(126), .exited(127):
      self = .stop
    case .exited, .killed: self = .retry
    }
  }
}

extension Failure {
  /// `reason`: why the command was terminated; nil if it ended by itself. `stderr`: the tail of its
  /// stderr.
  init(_ ending: Worker.Ending, _ reason: String?, stderr: [UInt8]) {
    switch ending {
    case .exited(let status):
      self.init(reason ?? "exit \(status)", exitStatus: status, stderr: stderr)
    case .killed(let signal):
      self.init(reason ?? "killed by signal \(signal)", signal: signal, stderr: stderr)
    }
  }
}

extension Disposal {
  /// The end of a message.
  var text: String {
    switch self {
    case .again(after: .zero): "ready again"
    case .again(let wait): "retry in \(wait.words)"
    case .buried(items: 1): "buried (dead letter)"
    case .buried(let items): "\(items) items buried (dead letters)"
    }
  }
}
