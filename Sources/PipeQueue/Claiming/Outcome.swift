package import PipeIO

/// Why a batch or an item has failed: what its dead letter keeps.
package struct Failure {
  /// One line for a person: `exit 1`, `timed out`, what the worker said.
  package var reason: String
  package var exitStatus: Int32?
  package var signal: Int32?
  /// The last 4 KiB of what the command wrote to its stderr.
  package var stderr: [UInt8]

  package init(
    _ reason: String, exitStatus: Int32? = nil, signal: Int32? = nil, stderr: [UInt8] = []
  ) {
    self.reason = reason
    self.exitStatus = exitStatus
    self.signal = signal
    self.stderr = stderr
  }
}

/// What is to become of an item.
package enum Outcome {
  case done
  /// Ready again as if it had not been claimed.
  case giveBack
  case retry(Failure)
  case bury(Failure)
}

/// What became of a batch that failed.
package enum Disposal {
  /// Microseconds from now.
  case again(after: Int64)
  case buried(items: Int)
}

extension Claim {
  /// An id of its own for each line that the claim is handed out in. Above the serial number of the
  /// batch, of which there is room for 2^32, and within the 48 bits that may differ in one run.
  package func token(_ line: Int) -> EntryID {
    EntryID(high: batch.high, low: batch.low + UInt64(line + 1) << 32)
  }
}

extension Claimer {
  package func retry(_ claim: consuming Claim, _ failure: Failure) throws(Fault) -> Disposal {
    try retry(claim)
    return .again(after: 0)
  }

  package func bury(_ claim: consuming Claim, _ failure: Failure) throws(Fault) -> Disposal {
    try retry(claim)
    return .again(after: 0)
  }

  /// Settles the items for which `outcome`, asked with the index in the claim's items, says something.
  /// Returns a claim of the others, nil if there are none.
  package func settle(
    _ claim: consuming Claim, _ outcome: (Int) -> Outcome?
  ) throws(Fault) -> Claim? {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    sync.note()
    var items: [Item] = []
    var parts: [Part] = []
    for part in claim.parts {
      let pieces = Piece.all(of: part, outcome)
      try write(pieces, over: part.name)
      for piece in pieces where piece.isKept {
        let start = items.count
        items += claim.items[piece.items]
        let first = piece.items.lowerBound - part.items.lowerBound
        parts.append(
          Part(
            name: NowName(piece.range, part.name.state), items: start..<items.count,
            places: Array(part.places[first..<(first + piece.items.count)])))
      }
    }
    if items.isEmpty { return nil }
    return Claim(
      batch: claim.batch, attempt: claim.attempt, items: items, bytes: claim.bytes, parts: parts)
  }

  // Narrower names inside the claim have no effect yet; the claim's own rename comes last.
  private func write(_ pieces: [Piece], over name: NowName) throws(Fault) {
    let names = pieces.compactMap { piece in piece.state.map { NowName(piece.range, $0) } }
    if names.count > 1 {
      var namer = Namer(queue, try queue.listNow())
      for new in names.dropLast() { try namer.create(new) }
    }
    let last = names.last
    let isHeld = last == nil ? try queue.setAside(name) : try queue.rename(name, to: last!)
    if !isHeld { throw Fault(.claimLost, "a claim is not held any more") }
  }
}

/// A run of items of one part with the same outcome.
private struct Piece {
  var range: ItemRange
  var items: Range<Int>
  /// nil: no name, so ready as if never claimed.
  let state: NowName.State?
  let isKept: Bool

  static func all(of part: Part, _ outcome: (Int) -> Outcome?) -> [Piece] {
    guard case .claim(let batch, let attempt, _) = part.name.state else { return [] }
    var pieces: [Piece] = []
    for index in part.items {
      let result = outcome(index)
      let state: NowName.State? =
        switch result {
        case nil: part.name.state
        case .done: .done
        case .giveBack: attempt > 1 ? .again(batch: batch, attempt: attempt - 1, due: 0) : nil
        case .retry, .bury: .again(batch: batch, attempt: attempt, due: 0)
        }
      if let last = pieces.last, last.state == state {
        pieces[pieces.count - 1].items = last.items.lowerBound..<(index + 1)
        continue
      }
      var range = part.name.range
      if !pieces.isEmpty {
        range.from = part.places[index - part.items.lowerBound]
        pieces[pieces.count - 1].range.to = range.from
      }
      pieces.append(
        Piece(range: range, items: index..<(index + 1), state: state, isKept: result == nil))
    }
    return pieces
  }
}
