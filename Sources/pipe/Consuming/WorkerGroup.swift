internal import PipeIO

/// A command that runs, and its end: that of its process, or, once it has been told to end, that of its
/// whole process group.
///
/// Who is told to end has 5 s for it, and so has what it started: while that lives the claim stays held,
/// since it may still be at work, and then it is killed.
struct WorkerGroup {
  let worker: Worker
  /// When it gets the next signal. Microseconds of `Clock.steady`.
  private var deadline: Int64?
  private(set) var isTerminated = false
  private var isDestroyed = false
  private(set) var ending: Worker.Ending?

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
    return min(deadline, Clock.steady() + WorkerGroup.pause)
  }

  mutating func terminate() {
    guard !isTerminated else { return }
    isTerminated = true
    deadline = Clock.steady() + WorkerGroup.grace
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

  mutating func note(_ ending: Worker.Ending) { self.ending = ending }

  /// A number that no process has any more may be given to a new group, but not within a `pause`.
  var isOver: Bool {
    ending != nil && (!isTerminated || isDestroyed || !worker.hasGroup)
  }
}
