package import PipeIO
package import PipeTime

// Claims that another process or the clock holds: `ack` settles what `batch` handed out.
extension Claimer {
  /// The names held under some tokens, at one instant.
  package struct Holdings {
    fileprivate var names: [BatchID: [NowName]] = [:]
  }

  /// Finds claims by their tokens. A claim whose owner is dead is not held any more, even if no
  /// process has reaped it yet. `own`: finds only claims that this process holds; another process
  /// may be burying the others.
  package func holdings(_ batches: Set<BatchID>, own: Bool = false) throws(Fault) -> Holdings {
    try queue.lockNow(exclusive: false)
    defer { queue.unlockNow() }
    let now = wall()
    var alive: [Int: Bool] = [:]
    var found = Holdings()
    for name in try queue.listNow().names where name.isHeld(at: now) {
      // A claim that was taken over has the id of no token.
      guard let batch = name.batch, batches.contains(batch), batch == batch.handedOut else {
        continue
      }
      if own, name.owner != owner?.slot { continue }
      if let slot = name.owner, slot != owner?.slot {
        if alive[slot] == nil { alive[slot] = !Owner.isDead(slot, queue) }
        guard alive[slot]! else { continue }
      }
      found.names[batch, default: []].append(name)
    }
    return found
  }

  /// Tokens of this run whose claims this process still holds.
  package func heldByThisRun() throws(Fault) -> Set<BatchID> {
    var found: Set<BatchID> = []
    for name in try queue.namesNow() where name.isClaim && name.owner == owner?.slot {
      if let batch = name.batch, isOfThisRun(batch) { found.insert(batch) }
    }
    return found
  }

  /// The claim of a token; nil if it is no longer held.
  package func adopt(_ batch: BatchID, _ holdings: Holdings) throws(Fault) -> Claim? {
    guard let names = holdings.names[batch] else { return nil }
    let inOrder = names.sorted { $0.range.comesBefore($1.range) }
    return try claim(batch, inOrder, try queue.ends(covering: inOrder))
  }

  /// Makes the clock hold a claim for `span`, instead of this process.
  /// Transition: hold
  package func hold(_ claim: consuming Claim, for span: TimeSpan) throws(Fault) -> Claim {
    let until = ReadyTime.after(span, from: wall())
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    sync.note()
    for index in claim.parts.indices {
      guard case .claim(let batch, let attempt, _) = claim.parts[index].name.state else { continue }
      var name = claim.parts[index].name
      name.state = .hold(batch: batch, attempt: attempt, until: until)
      try rename(claim.parts[index].name, to: name, batch: batch)
      claim.parts[index].name = name
    }
    return claim
  }
}

/// A whole stored entry, although a claim may have only some of its items.
package struct StoredEntry {
  /// Stores the entry again: under its id, with its priority, and with the time it was first seen.
  package let entry: NewEntry
  /// One line: the record's value, or the compact list of its ids. Valid during the visit.
  package let data: UnsafeRawBufferPointer

  package init(entry: NewEntry, data: UnsafeRawBufferPointer) {
    self.entry = entry
    self.data = data
  }

  init(_ line: SegmentLine, _ lane: Lane) {
    entry = NewEntry(
      id: line.id, priority: lane, ids: line.isRecord ? nil : (line.items, line.slice),
      created: line.firstSeen, options: line.options.flatMap(LineOptions.columnToMove))
    data = line.data
  }
}

extension Claimer {
  /// Reads the entries of the claim's items again, in order, and calls `visit` with each entry and
  /// the claim's items that belong to it. Throws if a line was damaged after it was claimed.
  package func forEachEntry(
    of claim: borrowing Claim, _ visit: (StoredEntry, Range<Int>) throws(Fault) -> Void
  ) throws(Fault) {
    let ends = try queue.ends(covering: claim.parts.map(\.name))
    for part in claim.parts {
      let lane = part.name.range.lane
      var index = part.items.lowerBound
      while index < part.items.upperBound {
        let id = claim.items[index].entry
        var next = index + 1
        while next < part.items.upperBound, claim.items[next].entry == id { next += 1 }
        let position = part.places[index - part.items.lowerBound]
        guard case .line(let line) = try step(lane, position, ends[lane]), line.id == id else {
          throw Fault(
            .inputOutput, "\(printable(queue.path)): \(id.text): was damaged after it was claimed")
        }
        try visit(StoredEntry(line, lane), index..<next)
        index = next
      }
    }
  }
}
