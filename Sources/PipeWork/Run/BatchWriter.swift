package import PipeIO
internal import PipeEngine
internal import PipeRender
package import PipeTime

/// `pipe batch`: writes batch lines and waits until everything handed out is settled. stdout is
/// closed after the last batch, so that the pipeline ends even if it leaves items unanswered.
package final class BatchWriter {
  private let source: BatchSource
  private let claimer: Claimer
  private let diagnostics: Diagnostics
  private let size: Int
  private let pipe = PipeOutput(capacity: BatchWriter.pipeSize)
  private let plain = Output()
  private let settling: QueueWatch
  /// Unsettled claims: token, and the output offset at which the line ends.
  private var waiting: [(token: BatchID, end: Int)] = []
  private var lastProgress = Clock.steady()
  private var hasHinted = false
  /// The rest of the pipeline, once stdout is closed.
  private var downstream: Downstream?
  /// When unsettled claims are taken back from a reader that has gone.
  private var giveBackDeadline: SteadyInstant?
  /// The fault that stopped claiming; thrown once everything handed out is settled.
  private var fault: Fault?

  /// Capacity of the pipe, bytes. A batch in the pipe is already dispatched, so a small pipe
  /// selects items later.
  private static let pipeSize = 4096
  /// How long claims stay held after the reader has gone: `ack` may be about to settle
  /// them.
  private static let grace: TimeSpan = .seconds(1)

  package init(_ source: BatchSource, _ diagnostics: Diagnostics, size: Int) throws(Fault) {
    self.source = source
    self.diagnostics = diagnostics
    self.size = size
    claimer = source.claimer
    settling = try source.queue.watchSettling()
  }

  package func run() throws(Fault) -> Int32 {
    while !isOver, fault == nil {
      if let claim = next() {
        try hand(claim)
      } else if source.mayGoOn, fault == nil {
        try wait(forReady: true)
      } else {
        break
      }
    }
    try closeStdout()
    while !waiting.isEmpty, source.mustDie == nil {
      if let giveBackDeadline, giveBackDeadline <= Clock.steady() { break }
      try wait(forReady: false)
    }
    return try conclude()
  }

  private var isOver: Bool { pipe?.isBroken == true || source.mustDie != nil }

  private func next() -> Claim? {
    do throws(Fault) { return try source.next(size: size) } catch {
      fault = error
      return nil
    }
  }

  // Closes stdout: filters that read to the end of file then continue, and `ack` gives back the
  // items that no line named. Waits first until the reader has taken everything, because the unread
  // bytes cannot be counted afterwards.
  private func closeStdout() throws(Fault) {
    guard let pipe else { return }
    while !waiting.isEmpty, !isOver, !source.isReaderGone {
      guard case .reported(let reads) = try source.queue.watchReads(of: pipe) else { return }
      if pipe.taken == pipe.written {
        downstream = pipe.finish()
        return lookDownstream()
      }
      try wait(forReady: false, output: .reads(pipe, reads))
    }
  }

  private func lookDownstream() {
    if downstream?.isOver == true { setGiveBackDeadline() }
  }

  private func setGiveBackDeadline() {
    if giveBackDeadline == nil { giveBackDeadline = Clock.steady() + BatchWriter.grace }
  }

  private func hand(_ claim: consuming Claim) throws(Fault) {
    let line = BatchLine.bytes(claim)
    // Nothing was unsettled before this batch.
    if waiting.isEmpty { lastProgress = Clock.steady() }
    guard let pipe else {
      plain.bytes = line
      do throws(Fault) { try plain.flush() } catch {
        try claimer.giveBack(claim)
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
    if !waiting.isEmpty { events.want(settling.fd) }
    if giveBackDeadline == nil, let downstream { events.want(downstream.fd) }
    do throws(Fault) {
      _ = try source.wait(
        forReady: forReady, until: deadline, output: output ?? reader, events: events)
    } catch {
      // The pipeline still has lines, so the first fault does not end the wait.
      if fault != nil { throw error }
      fault = error
    }
    if pipe?.isBroken == true || source.isReaderGone { setGiveBackDeadline() }
    if let downstream, events.isReady(downstream.fd) { lookDownstream() }
    if settling.drain({ _ in true }) { try lookForSettled() }
    hint()
  }

  // nil if stdout is not a pipe, is closed, or has lost its reader.
  private var reader: BatchSource.OutputEvent? {
    guard let pipe, downstream == nil, !pipe.isBroken else { return nil }
    return .nothing(pipe)
  }

  private var deadline: SteadyInstant? {
    let hint = mayHint ? lastProgress + Patience.span : nil
    return [giveBackDeadline, hint].compactMap { $0 }.min()
  }

  private func lookForSettled() throws(Fault) {
    guard !waiting.isEmpty else { return }
    let held = try claimer.heldByThisRun()
    let before = waiting.count
    waiting.removeAll { !held.contains($0.token) }
    if waiting.count < before { lastProgress = Clock.steady() }
  }

  private var mayHint: Bool {
    !hasHinted && !waiting.isEmpty && giveBackDeadline == nil && downstream == nil
  }

  private func hint() {
    guard mayHint, Clock.steady() - lastProgress >= Patience.span else { return }
    hasHinted = true
    let many = waiting.count == 1 ? "1 batch is" : "\(waiting.count) batches are"
    diagnostics.say(
      "\(many) not settled: does every filter before pipe ack flush each line"
        + " (jq --unbuffered, sed -u)? --hold hands out batches without waiting for them")
  }

  private func conclude() throws(Fault) -> Int32 {
    try lookForSettled()
    let left = waiting
    if !left.isEmpty { try returnAll(left) }
    if let fault { throw fault }
    let isCutShort = downstream == nil && source.wouldStart
    if giveBackDeadline != nil, !left.isEmpty || isCutShort { throw Fault.brokenPipe }
    return Exit.fine
  }

  private func returnAll(_ left: [(token: BatchID, end: Int)]) throws(Fault) {
    let holdings = try claimer.holdings(Set(left.map(\.token)), own: true)
    let taken = downstream == nil ? pipe?.taken ?? .max : .max
    var unanswered = 0
    for (token, end) in left {
      guard let claim = try claimer.adopt(token, holdings) else { continue }
      if source.mustDie != nil || end > taken {
        try claimer.giveBack(claim)
      } else {
        unanswered += claim.items.count
        let gone = Failure("the reader of the batch ended without settling it")
        _ = try claimer.settle(claim, wait: .zero) { _ in .retry(gone) }
      }
    }
    if unanswered > 0 {
      diagnostics.say("the pipeline ended without settling \(counted(unanswered, "item"))")
    }
  }
}

/// `pipe batch --hold`: writes batch lines and ends; the clock holds the claims.
package struct HoldWriter {
  let source: BatchSource
  let size: Int
  /// How long each claim is held.
  let span: TimeSpan

  package init(source: BatchSource, size: Int, span: TimeSpan) {
    self.source = source
    self.size = size
    self.span = span
  }

  package func run() throws(Fault) -> Int32 {
    let output = Output()
    while let claim = try source.nextWaiting(size: size) { try hand(claim, output) }
    return Exit.fine
  }

  private func hand(_ claim: consuming Claim, _ output: Output) throws(Fault) {
    let claimer = source.claimer
    let held = try claimer.hold(claim, for: span)
    // On disk first: a process that reads the line relies on the claim.
    try claimer.sync.flush()
    output.bytes = BatchLine.bytes(held)
    do throws(Fault) { try output.flush() } catch {
      try claimer.giveBack(held)
      throw error
    }
  }
}
