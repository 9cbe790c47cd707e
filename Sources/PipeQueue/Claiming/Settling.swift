package import PipeIO

// Settling is one rename a range (pipe-queue(5), TRANSITIONS). A name that is gone means that somebody
// found this process dead; what the claim held is ready again, or done, by others.
extension Claimer {
  /// Acknowledges the whole claim.
  package func done(_ claim: consuming Claim) throws(Fault) {
    try settle(claim.parts, batch: claim.batch) { _ in .done }
  }

  /// Makes all of it ready again, with its attempt counted.
  package func retry(_ claim: consuming Claim) throws(Fault) {
    try settle(claim.parts, batch: claim.batch) { state in
      guard case .claim(let batch, let attempt, _) = state else { return state }
      return .again(batch: batch, attempt: attempt, due: 0)
    }
  }

  /// Makes all of it ready again as if it had not been claimed.
  package func giveBack(_ claim: consuming Claim) throws(Fault) {
    try acknowledge(claim, first: 0)
  }

  /// Acknowledges the first `count` items and gives the others back unharmed.
  package func acknowledge(_ claim: consuming Claim, first count: Int) throws(Fault) {
    if count >= claim.items.count { return try done(claim) }
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    sync.note()
    for part in claim.parts {
      if part.items.upperBound <= count {
        try rename(part.name, to: NowName(part.name.range, .done), batch: claim.batch)
      } else if part.items.lowerBound >= count {
        try giveBack(part.name, batch: claim.batch)
      } else {
        try split(part, at: part.places[count - part.items.lowerBound], batch: claim.batch)
      }
    }
  }

  private func settle(
    _ parts: [Part], batch: EntryID, _ change: (NowName.State) -> NowName.State
  ) throws(Fault) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    sync.note()
    for part in parts {
      try rename(part.name, to: NowName(part.name.range, change(part.name.state)), batch: batch)
    }
  }

  private func rename(_ name: NowName, to new: NowName, batch: EntryID) throws(Fault) {
    if try queue.rename(name, to: new) { return }
    throw lost(batch)
  }

  private func lost(_ batch: EntryID) -> Fault {
    queue.isRemoved
      ? Fault(.notFound, "\(printable(queue.path)): was removed while in use")
      : Fault(
        .claimLost,
        "claim \(batch.text) is not held any more: what was in it may be delivered again")
  }

  // The done name first, which has no effect yet because the claim beats it; then one rename takes the
  // claim away and thereby acknowledges what the done name covers.
  private func split(_ part: Part, at place: Place, batch: EntryID) throws(Fault) {
    var head = part.name.range
    head.to = place
    var namer = Namer(queue, try queue.listNow())
    try namer.create(NowName(head, .done))
    var tail = part.name.range
    tail.from = place
    try giveBack(part.name, remaining: tail, batch: batch)
  }

  private func giveBack(_ name: NowName, remaining: ItemRange? = nil, batch: EntryID) throws(Fault)
  {
    guard case .claim(_, let attempt, _) = name.state, attempt > 1 else {
      // Never attempted before: what no name covers is ready.
      if try queue.setAside(name) { return }
      throw lost(batch)
    }
    let state = NowName.State.again(batch: batch, attempt: attempt - 1, due: 0)
    try rename(name, to: NowName(remaining ?? name.range, state), batch: batch)
  }
}
