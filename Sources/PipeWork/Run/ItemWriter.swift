package import PipeIO
internal import PipeEngine
package import PipeRender

/// `consume` without a command: writes items to stdout. Items written to a pipe are acknowledged
/// once its reader has taken them, others once they are written.
package final class ItemWriter {
  private let source: BatchSource
  private let claimer: Claimer
  private let form: ItemForm
  private let pipe = PipeOutput()
  private let plain = Output()
  private let isFile: Bool
  private let mayBlock: Bool
  private var held: [HeldClaim] = []
  private var fault: Fault?
  private var faults = 0

  /// Default batch limits: small enough to share the queue with other consumers, large enough to
  /// make claiming cheap.
  private static let batchItems = 8192
  private static let batchBytes = 512 << 10
  /// After more faults than this, nothing is waited for.
  private static let mostFaults = 8

  package init(_ source: BatchSource, _ form: ItemForm) {
    self.source = source
    self.form = form
    claimer = source.claimer
    (isFile, mayBlock) = plain.target
  }

  package func run() throws(Fault) -> Int32 {
    keep { () throws(Fault) in try handOut() }
    drain()
    conclude()
    if let fault { throw fault }
    if pipe?.isBroken == true { throw Fault.brokenPipe }
    return Exit.fine
  }

  // A fault ends the run, but only after the reader has taken the output and its items are settled.
  private func keep(_ body: () throws(Fault) -> Void) {
    do throws(Fault) { try body() } catch {
      fault = fault ?? error
      faults += 1
    }
  }

  private func handOut() throws(Fault) {
    let size = source.limits.size ?? (source.limits.batches == .max ? ItemWriter.batchItems : 1)
    let bytes = source.limits.size == nil ? ItemWriter.batchBytes : Limits.mostBytes
    while !isOver, fault == nil {
      if let claim = try source.next(size: size, bytes: bytes) {
        try hand(claim)
        try settleTaken()
      } else if source.mayGoOn {
        try waitForItems()
      } else {
        break
      }
    }
  }

  private var isOver: Bool {
    pipe?.isBroken == true || source.mustDie != nil || faults > ItemWriter.mostFaults
  }

  private func hand(_ claim: consuming Claim) throws(Fault) {
    let (bytes, ends) = form.output(claim)
    guard let pipe else { return try write(bytes, ends, claim) }
    let start = pipe.written
    held.append(HeldClaim(claim, ends: ends.map { start + $0 }))
    var done = 0
    while done < bytes.count, !isOver {
      let count = try bytes.withUnsafeBufferPointer { (all) throws(Fault) -> Int in
        try pipe.write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[done...]))
      }
      done += count
      // A fault does not end the wait: half an item is useless to the reader.
      if count == 0, !isOver {
        keep { () throws(Fault) in _ = try source.wait(forReady: false, output: .room(pipe)) }
      }
    }
  }

  private func write(_ bytes: [UInt8], _ ends: [Int], _ claim: consuming Claim) throws(Fault) {
    // A terminal or a socket may block for long; earlier acknowledgements are flushed first.
    if mayBlock { try claimer.sync.flush() }
    plain.bytes = bytes
    var written = 0
    do throws(Fault) { try plain.flush(written: &written) } catch {
      let whole = ends.prefix { $0 <= written }.count
      let end = whole == 0 ? 0 : ends[whole - 1]
      // The next output must not continue half an item.
      if isFile { plain.takeBack(written - end) }
      try claimer.acknowledge(claim, first: whole)
      throw error
    }
    try claimer.done(claim)
  }

  private func settleTaken() throws(Fault) {
    guard let pipe, !held.isEmpty else { return }
    let taken = pipe.taken
    try settle(held.prefix { ($0.ends.last ?? 0) <= taken }.count) { (claim) throws(Fault) in
      try claimer.done(claim.take())
    }
  }

  // Settles the first `count` held claims; a fault in one does not keep the others from being
  // settled.
  private func settle(
    _ count: Int, _ body: (HeldClaim) throws(Fault) -> Void
  ) throws(Fault) {
    let claims = Array(held.prefix(count))
    held.removeFirst(count)
    var first: Fault?
    for claim in claims {
      do throws(Fault) { try body(claim) } catch { first = first ?? error }
    }
    if let first { throw first }
  }

  // Nothing is ready: acknowledges the items that the reader takes until something is.
  private func waitForItems() throws(Fault) {
    while source.mayGoOn, !isOver {
      if try source.wait(forReady: true, output: try outputEvent()) { return }
    }
  }

  // Bytes that a fault kept from being written are never taken.
  private var hasUntaken: Bool {
    guard let pipe, !held.isEmpty else { return false }
    return pipe.taken < pipe.written
  }

  // Everything is written: waits until the reader has taken it or has gone.
  private func drain() {
    keep { () throws(Fault) in try settleTaken() }
    while hasUntaken, !isOver {
      keep { () throws(Fault) in
        let event = try outputEvent()
        if held.isEmpty { return }
        _ = try source.wait(forReady: false, output: event)
      }
    }
  }

  // Watches before asking, so that bytes taken in between are reported.
  private func outputEvent() throws(Fault) -> BatchSource.OutputEvent? {
    guard let pipe else { return nil }
    guard !held.isEmpty else { return .nothing(pipe) }
    let reads = try source.queue.watchReads(of: pipe)
    try settleTaken()
    if held.isEmpty { return .nothing(pipe) }
    switch reads {
    case .reported(let watch): return .reads(pipe, watch)
    case .whenEmpty: return .room(pipe)
    }
  }

  private func conclude() {
    let taken = pipe?.taken ?? 0
    keep { () throws(Fault) in
      try settle(held.count) { (claim) throws(Fault) in
        let whole = claim.ends.prefix { $0 <= taken }.count
        try claimer.acknowledge(claim.take(), first: whole)
      }
    }
  }
}

/// How a batch is written: to stdout, or to the stdin of a command.
package enum ItemForm {
  /// One item a line.
  case json
  /// One batch a line.
  case envelope
  case text(TextItem.End)

  /// The bytes of a batch, and where each of its items ends in them.
  func output(_ claim: borrowing Claim) -> (bytes: [UInt8], ends: [Int]) {
    switch self {
    case .json: return (claim.bytes, claim.items.map { $0.data.upperBound + 1 })
    case .envelope:
      let bytes = BatchLine.bytes(claim)
      return (bytes, claim.items.map { _ in bytes.count })
    case .text(let end):
      var bytes: [UInt8] = []
      var ends: [Int] = []
      claim.bytes.withUnsafeBytes { all in
        for item in claim.items {
          TextItem.appendPlain(UnsafeRawBufferPointer(rebasing: all[item.data]), to: &bytes)
          bytes.append(end.rawValue)
          ends.append(bytes.count)
        }
      }
      return (bytes, ends)
    }
  }
}
