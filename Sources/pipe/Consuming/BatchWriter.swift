internal import PipeIO
internal import PipeQueue

/// `pipe batch`: writes batch lines, and stays until somebody has settled what it handed out.
final class BatchWriter {
  private let source: BatchSource
  private let claimer: Claimer
  private let diagnostics: Diagnostics
  private let size: Int
  private let pipe = PipeOutput(capacity: BatchWriter.pipeSize)
  private let plain = Output()
  private let settling: Watch
  /// What is not settled: token, and where its line ends in all that was written.
  private var waiting: [(token: EntryID, end: Int)] = []
  private var lastProgress = Clock.steady()
  private var hasHinted = false
  /// When what is not settled is taken from a reader that has gone.
  private var farewell: Int64?

  /// What is in the pipe has been dispatched: the less, the later the choice. Bytes.
  private static let pipeSize = 4096
  /// Microseconds that items stay claimed after the reader has gone: `ack` may be about to settle them.
  private static let grace: Int64 = 1_000_000
  /// Microseconds without any settlement before something seems to be wrong.
  private static let patience: Int64 = 5_000_000

  init(_ source: BatchSource, _ diagnostics: Diagnostics, size: Int) throws(Fault) {
    self.source = source
    self.diagnostics = diagnostics
    self.size = size
    claimer = source.claimer
    settling = try source.queue.watchSettling()
  }

  func run() throws(Fault) -> Int32 {
    while !isOver {
      if let claim = try source.next(size: size) {
        try hand(claim)
        try claimer.sync.flushIfDue()
        source.takeSignals()
      } else if source.mayGoOn {
        try wait(forReady: true)
      } else {
        break
      }
    }
    while !waiting.isEmpty, source.mustDie == nil {
      if let farewell, farewell <= Clock.steady() { break }
      try wait(forReady: false)
    }
    return try conclude()
  }

  private var isOver: Bool { pipe?.isBroken == true || source.mustDie != nil }

  private func hand(_ claim: consuming Claim) throws(Fault) {
    // Nothing but damage, which was reported when it was read.
    if claim.items.isEmpty { return try claimer.done(claim) }
    let line = BatchLine.bytes(claim)
    // Before that there was nothing to be settled.
    if waiting.isEmpty { lastProgress = Clock.steady() }
    guard let pipe else {
      plain.bytes = line
      do throws(Fault) { try plain.flush() } catch {
        try claimer.giveBack(claim)
        try claimer.sync.flush()
        throw error
      }
      waiting.append((claim.batch, 0))
      return
    }
    waiting.append((claim.batch, pipe.written + line.count))
    var done = 0
    while done < line.count, !isOver {
      let count = try line.withUnsafeBufferPointer { (all) throws(Fault) -> Int in
        try pipe.write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[done...]))
      }
      done += count
      if count == 0, !isOver { try wait(forReady: false, output: .room(pipe)) }
    }
  }

  private func wait(
    forReady: Bool, output: BatchSource.OutputEvent? = nil
  ) throws(Fault) {
    let events = Events()
    if !waiting.isEmpty { events.want(settling.number) }
    _ = try source.wait(
      forReady: forReady, until: deadline, output: output ?? pipe.map { .nothing($0) },
      events: events)
    if pipe?.isBroken == true, farewell == nil { farewell = Clock.steady() + BatchWriter.grace }
    if settling.drain({ _ in true }) { try lookForSettled() }
    hint()
  }

  private var deadline: Int64? {
    let hint = hasHinted || waiting.isEmpty ? nil : lastProgress + BatchWriter.patience
    return [farewell, hint].compactMap { $0 }.min()
  }

  private func lookForSettled() throws(Fault) {
    guard !waiting.isEmpty else { return }
    let held = try claimer.heldByThisRun()
    let before = waiting.count
    waiting.removeAll { !held.contains($0.token) }
    if waiting.count < before { lastProgress = Clock.steady() }
  }

  private func hint() {
    guard !hasHinted, !waiting.isEmpty, farewell == nil,
      Clock.steady() - lastProgress >= BatchWriter.patience
    else { return }
    hasHinted = true
    let many = waiting.count == 1 ? "1 batch is" : "\(waiting.count) batches are"
    diagnostics.say(
      "\(many) not settled: does each filter before pipe ack flush each line"
        + " (jq --unbuffered, sed -u)? --hold hands out batches without waiting for them")
  }

  private func conclude() throws(Fault) -> Int32 {
    try lookForSettled()
    let left = waiting
    if !left.isEmpty { try returnAll(left) }
    try claimer.sync.flush()
    if let signal = source.mustDie { die(of: signal) }
    if pipe?.isBroken == true, !left.isEmpty || source.mayStart { throw Fault.brokenPipe }
    return Exit.fine
  }

  private func returnAll(_ left: [(token: EntryID, end: Int)]) throws(Fault) {
    let holdings = try claimer.holdings(Set(left.map(\.token)), own: true)
    let taken = pipe?.taken ?? .max
    for (token, end) in left {
      guard let claim = try claimer.adopt(token, holdings) else { continue }
      if source.mustDie != nil || end > taken {
        try claimer.giveBack(claim)
      } else {
        let gone = Failure("what read the batch ended without settling it")
        _ = try claimer.settle(claim, wait: 0) { _ in .retry(gone) }
      }
    }
  }
}
