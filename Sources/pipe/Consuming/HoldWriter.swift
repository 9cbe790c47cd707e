internal import PipeIO
internal import PipeQueue

/// `pipe batch --hold`: writes batch lines and ends; the clock holds what it handed out.
struct HoldWriter {
  let source: BatchSource
  let size: Int
  /// Microseconds.
  let span: Int64

  func run() throws(Fault) -> Int32 {
    let output = Output()
    while true {
      if let claim = try source.next(size: size) {
        try hand(claim, output)
        source.takeSignals()
      } else if source.mayGoOn {
        _ = try source.wait(forReady: true)
      } else {
        break
      }
    }
    try source.claimer.sync.flush()
    if let signal = source.mustDie { die(of: signal) }
    return Exit.fine
  }

  private func hand(_ claim: consuming Claim, _ output: Output) throws(Fault) {
    let claimer = source.claimer
    if claim.items.isEmpty { return try claimer.done(claim) }
    let held = try claimer.hold(claim, for: span)
    // Whoever reads the line may count on it.
    try claimer.sync.flush()
    output.bytes = BatchLine.bytes(held)
    do throws(Fault) { try output.flush() } catch {
      try claimer.giveBack(held)
      try claimer.sync.flush()
      throw error
    }
  }
}
