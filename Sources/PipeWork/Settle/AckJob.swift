internal import PipeIntake
package import PipeIO
package import PipeEngine

/// `pipe ack`, after its options are parsed.
package struct AckJob {
  let queue: QueueLocation
  /// The result of items for which the line names none.
  let fallback: Settlement.Result
  let reason: String?
  let tee: Bool
  let claims: [String]

  package init(
    queue: QueueLocation, fallback: Settlement.Result, reason: String?, tee: Bool, claims: [String]
  ) {
    self.queue = queue
    self.fallback = fallback
    self.reason = reason
    self.tee = tee
    self.claims = claims
  }

  /// Maximum bytes of a line: a batch of 16 MiB fits, with the ids of its items.
  private static let longest = 24 << 20

  package func run() throws(Fault) -> Int32 {
    let diagnostics = Diagnostics(command: "ack")
    ignoreBrokenPipes()
    let settler = Settler(
      try queue.open(diagnostics), diagnostics, fallback: fallback, reason: reason, tee: tee)
    let status = claims.isEmpty ? try read(settler, diagnostics) : try settle(claims, settler)
    try settler.finish()
    if settler.hasNoRoom { return Exit.status(of: .tryLater) }
    if settler.hasLost { return Exit.status(of: .claimLost) }
    return settler.hasRefused ? Exit.data : status
  }

  private func read(_ settler: Settler, _ diagnostics: Diagnostics) throws(Fault) -> Int32 {
    var lines = LineLoop(
      diagnostics, rejects: try RejectFile(nil), limit: AckJob.longest, limitAdvice: "")
    var reader = SettlementReader()
    lines.begin(Input.standard)
    while let event = try lines.next() {
      switch event {
      case .line(let line):
        do throws(Rejection) { settler.add(try reader.read(line), line) } catch {
          if let claim = reader.claim { settler.addUnread(claim) }
          try lines.reject(error)
        }
        if settler.isFull { try settler.settle() }
      case .drained(let isReadable):
        try settler.settle()
        if !isReadable { try settler.flush() }
      }
    }
    try settler.settle()
    return lines.conclusion()
  }

  private func settle(_ claims: [String], _ settler: Settler) throws(Fault) -> Int32 {
    var reader = SettlementReader()
    for text in claims {
      if let id = BatchID(text) {
        settler.add(Settlement(claim: id, result: nil, reason: nil, output: nil, items: nil), nil)
        continue
      }
      do throws(Rejection) {
        let settlement = try text.systemBytes.withUnsafeBufferPointer {
          (bytes) throws(Rejection) in
          try reader.read(UnsafeRawBufferPointer(bytes))
        }
        settler.add(settlement, nil)
      } catch {
        throw Fault(
          .usage,
          "\(printable(text)): neither a claim token nor a batch line; pipe batch prints both")
      }
    }
    try settler.settle()
    return Exit.fine
  }
}
