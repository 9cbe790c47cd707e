internal import PipeIO

// What dead processes held. Nothing here waits for a lock but that of now/.
extension Claimer {
  /// Makes the claims of dead holders ready again, their attempts counted; those that were at their last
  /// attempt are buried, and so is what the clock held for its last one: what kills its consumer each time
  /// must not do so for ever. Returns whether there were any.
  @discardableResult
  func reap() throws(Fault) -> Bool {
    // Held until the last of their claims is renamed: nobody may take these slots before.
    var locks: [Int: Descriptor] = [:]
    let orphans = try orphans(&locks)
    guard !orphans.isEmpty else { return false }
    // Its holder may have been putting it aside.
    for name in orphans { try queue.clearAside(name.range) }
    var last: [(claim: NowName, failure: Failure)] = []
    try queue.lockNow(exclusive: true)
    do throws(Fault) {
      for name in orphans {
        let failure = name.isHold ? Self.expired : Self.died
        if let taken = try release(name) { last.append((taken, failure)) }
      }
    } catch {
      queue.unlockNow()
      throw error
    }
    queue.unlockNow()
    sync.note()
    for (claim, failure) in last { try bury(orphan: claim, failure) }
    return true
  }

  private func orphans(_ locks: inout [Int: Descriptor]) throws(Fault) -> [NowName] {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    var alive: Set<Int> = []
    var found: [NowName] = []
    let now = wall()
    for name in try queue.listNow().names {
      if isSpent(name, at: now) { found.append(name) }
      guard case .claim(let batch, _, let slot) = name.state, !isOfThisRun(batch),
        !alive.contains(slot)
      else { continue }
      // Our own slot: its last holder must be dead, or we should not hold it.
      if slot != owner?.slot, locks[slot] == nil {
        guard let lock = try Owner.lockOfDead(slot, queue) else {
          alive.insert(slot)
          continue
        }
        locks[slot] = lock
      }
      found.append(name)
    }
    return found
  }

  /// Whether the clock held it for its last attempt, and does so no more.
  func isSpent(_ name: NowName, at now: Int64) -> Bool {
    guard case .hold(_, let attempt, let until) = name.state else { return false }
    return attempt > queue.settings.retries && until.isOver(at: now)
  }

  private static let died = Failure("the process that held it died")
  private static let expired = Failure("it was held for too long")

  // Returns a claim of our own where it is to be buried.
  private func release(_ name: NowName) throws(Fault) -> NowName? {
    guard let batch = name.batch, let attempt = name.attempt else { return nil }
    if attempt == 0 {
      // Only on its way to later/ or from there: what no name covers is looked at anew.
      let untried = NowName(name.range, .untried)
      _ =
        try queue.listNow().hasDone(under: name.range)
        ? queue.rename(name, to: untried) : queue.setAside(name)
      return nil
    }
    if let owner, attempt > queue.settings.retries {
      let own = NowName(name.range, .claim(batch: batch, attempt: attempt, owner: owner.slot))
      return try queue.rename(name, to: own) ? own : nil
    }
    let text = name.text
    let now = try queue.now()
    let isKnown = History.attempts(now.history(text), of: name.range.from.number)
      .contains { $0.number == attempt }
    // Known: it was only on its way to later/ or from there.
    if !isKnown {
      let ended = Attempt(Self.died, number: attempt, started: now.changed(text), ended: wall())
      now.note(History.line(name.range, ended), in: text, anew: attempt == 1)
    }
    let again = NowName(name.range, .again(batch: batch, attempt: attempt, due: .now))
    _ = try queue.rename(name, to: again)
    return nil
  }

  private func bury(orphan name: NowName, _ failure: Failure) throws(Fault) {
    let claim = try claim(name.batch!, [name], try queue.ends())
    _ = try bury(claim, failure)
  }
}
