package import PipeIO

// Settling is one rename a range (pipe-queue(5), TRANSITIONS). A name that is gone means that somebody
// found this process dead; what the claim held is ready again, or done, by others.
extension Claimer {
  /// Acknowledges the whole claim.
  package func done(_ claim: consuming Claim) throws(Fault) {
    try acknowledge(claim)
    let all = CollectionOfOne(claim.items.indices)
    record(CollectionOfOne(claim.settled(.done, all, at: wall(), tag)))
  }

  private func acknowledge(_ claim: borrowing Claim) throws(Fault) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    sync.note()
    for part in claim.parts {
      try rename(part.name, to: NowName(part.name.range, .done), batch: claim.batch)
    }
  }

  /// Makes all of it ready again, with its attempt counted, after the backoff that the settings give; or
  /// buries it, if that was the last attempt.
  package func retry(_ claim: consuming Claim, _ failure: Failure) throws(Fault) -> Disposal {
    let isLast = claim.attempt > queue.settings.retries
    let count = claim.items.count
    let wait = backoff(claim.attempt)
    let before = unburied
    _ = try settle(claim, wait: wait) { _ in .retry(failure) }
    return isLast && unburied == before ? .buried(items: count) : .again(after: wait)
  }

  /// Makes dead letters of all its items.
  package func bury(_ claim: consuming Claim, _ failure: Failure) throws(Fault) -> Disposal {
    let count = claim.items.count
    let wait = backoff(claim.attempt)
    let before = unburied
    _ = try settle(claim, wait: wait) { _ in .bury(failure) }
    return unburied == before ? .buried(items: count) : .again(after: wait)
  }

  /// Makes all of it ready again as if it had not been claimed.
  package func giveBack(_ claim: consuming Claim) throws(Fault) {
    try acknowledge(claim, first: 0)
  }

  /// Acknowledges the first `count` items and gives the others back unharmed.
  package func acknowledge(_ claim: consuming Claim, first count: Int) throws(Fault) {
    if count >= claim.items.count { return try done(claim) }
    _ = try settle(claim) { $0 < count ? .done : .giveBack }
  }

  func backoff(_ attempt: Int) -> Int64 {
    queue.settings.backoff.delay(after: max(1, attempt), random: random())
  }

  func rename(_ name: NowName, to new: NowName, batch: EntryID) throws(Fault) {
    if try queue.rename(name, to: new) { return }
    throw lost(batch)
  }

  func lost(_ batch: EntryID) -> Fault {
    queue.isRemoved
      ? Fault(.notFound, "\(printable(queue.path)): was removed while in use")
      : Fault(
        .claimLost,
        "claim \(batch.text) is not held any more: it was settled before, or its holder is gone")
  }
}
