internal import PipeIO

/// Finds out that a worker will wait for ever, as one does that wants to read all before it answers, that
/// does not flush, or that does not read. Told once.
struct StreamStall {
  private var lastAnswer = Clock.steady()
  private var lastLook: Int64 = 0
  private var isTold = false

  /// Microseconds.
  private static let patience: Int64 = 5_000_000

  mutating func note() { lastAnswer = Clock.steady() }

  private func due(_ window: StreamWindow) -> Int64 {
    max(lastAnswer, window.oldestSince, lastLook) + StreamStall.patience
  }

  func deadline(_ window: StreamWindow) -> Int64? {
    isTold || window.items == 0 ? nil : due(window)
  }

  /// Who has taken a part and left a part is at work on it, however long that takes.
  mutating func complaint(_ worker: StreamWorker, _ window: StreamWindow) -> String? {
    guard !isTold, window.items > 0, Clock.steady() >= due(window) else { return nil }
    lastLook = Clock.steady()
    let taken = worker.input.taken
    guard taken == 0 || taken == worker.input.end else { return nil }
    isTold = true
    let open = "\(counted(window.items, "item")) handed out and no answer for 5 s"
    return taken == 0
      ? "\(open): it does not read its stdin"
      : "\(open): either its work takes so long, or it does not flush; "
        + "it gets no more than \(StreamWindow.mostItems) ahead"
  }
}
