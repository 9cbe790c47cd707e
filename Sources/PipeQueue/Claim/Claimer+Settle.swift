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
        "claim \(batch.text) is no longer held: it was already settled, or its holder is gone")
  }
}

// Items of one claim that go different ways.
extension Claimer {
  /// Settles the items for which `outcome` (of an index in `claim.items`) says something. Returns a claim
  /// of the others, nil if there are none. `wait`: microseconds until what failed is ready again; else the
  /// backoff that the settings give. `takingOver`: this process holds the others from here on, instead of
  /// the one that handed them out.
  package func settle(
    _ claim: consuming Claim, wait: Int64? = nil, takingOver: Bool = false,
    _ outcome: (Int) -> Outcome?
  ) throws(Fault) -> Claim? {
    var plan = SettlingPlan(claim, queue.settings.retries, outcome)
    var isTaken = false
    if takingOver { isTaken = try hasSlot() }
    let holders = claim.parts.map { [isTaken] in
      isTaken ? ours($0.name.state) : $0.name.state
    }
    if !plan.burials.isEmpty {
      claim = try own(claim, plan.burials)
      let refused = try bury(plan.burials, of: claim)
      unburied += refused.count
      plan.unburied(refused)
    }
    let now = wall()
    for failed in plan.failures { note(failed, of: claim.parts[failed.part]) }
    let due = ReadyTime.after(wait ?? backoff(claim.attempt), from: now)
    let kept = try settle(claim, plan, due, holders)
    record(claim.settled(plan, at: now, tag))
    return kept.isEmpty ? nil : claim.reduced(to: kept)
  }

  private func hasSlot() throws(Fault) -> Bool {
    do throws(Fault) { try begin() } catch {
      // A full disk must not keep claims from being settled.
      guard error.kind == .tryLater else { throw error }
    }
    return owner != nil
  }

  // What the clock holds stays with it.
  private func ours(_ state: NowName.State) -> NowName.State {
    guard case .claim(let batch, let attempt, _) = state else { return state }
    return .claim(batch: batch, attempt: attempt, owner: owner!.slot)
  }

  private func settle(
    _ claim: borrowing Claim, _ plan: SettlingPlan, _ due: ReadyTime, _ holders: [NowName.State]
  ) throws(Fault) -> [Part] {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    sync.note()
    var kept: [Part] = []
    for (index, part) in claim.parts.enumerated() {
      kept += try settle(part, plan.fates[index], due, holders[index], batch: claim.batch)
    }
    return kept
  }

  /// Returns what of it stays claimed. `holder`: what it was before this process took it over to bury some
  /// of it; so the others stay with who held them, and come back with those they failed with.
  private func settle(
    _ part: Part, _ fates: [SettlingPlan.Fate], _ due: ReadyTime, _ holder: NowName.State,
    batch: EntryID
  ) throws(Fault) -> [Part] {
    let state = { (fate: SettlingPlan.Fate) in fate.state(of: holder, due) }
    let runs = SettlingPlan.runs(fates, from: part.items.lowerBound)
    // The file of the claim knows what happened to its items: it goes on with some that need it.
    let last = runs.lastIndex { $0.fate.keepsHistory } ?? runs.count - 1
    var kept: [Part] = []
    let listing =
      runs.count > 1 || runs[last].fate == .ready ? try queue.listNow() : NowListing()
    if runs.count > 1 {
      var nowDirectory = NowDirectory(queue, listing)
      let history =
        part.name.attempt! > 0 && runs.contains { $0.fate.keepsHistory }
        ? try queue.now().history(part.name.text) : []
      for (index, run) in runs.enumerated() where index != last {
        let name = NowName(part.range(run.items), state(run.fate))
        if run.fate == .held { kept.append(part.cut(to: run.items, name)) }
        if !isUncovered(name, run.fate, listing) {
          try nowDirectory.create(name, history: run.fate.keepsHistory ? history : [])
        }
      }
    }
    let run = runs[last]
    let name = NowName(part.range(run.items), state(run.fate))
    if run.fate == .held { kept.append(part.cut(to: run.items, name)) }
    if isUncovered(name, run.fate, listing) {
      if try !queue.makeSpare(part.name) { throw lost(batch) }
    } else {
      try rename(part.name, to: name, batch: batch)
    }
    return kept.sorted { $0.items.lowerBound < $1.items.lowerBound }
  }

  // Never attempted before: what no name covers is ready. But what came back from beside the line has been
  // done with in now/, which would show again.
  private func isUncovered(
    _ name: NowName, _ fate: SettlingPlan.Fate, _ listing: NowListing
  ) -> Bool {
    fate == .ready && name.attempt! == 0 && !listing.hasDone(in: name.range)
  }

  // Into the file of the claim, before it gets its new name. Who cannot write goes on without.
  private func note(_ failed: SettlingPlan.Failed, of part: Part) {
    guard let now = try? queue.now() else { return }
    let name = part.name.text
    let attempt = part.name.attempt ?? 1
    let line = History.line(
      part.range(failed.items),
      Attempt(failed.failure, number: attempt, started: part.name.batch?.claimed, ended: wall()))
    // What is in a file that never failed for these items is of its earlier life.
    let isFirst =
      failed.isFirst
      && History.attempts(
        now.history(name), of: part.range(failed.items).from.number, part.name.range.lane
      )
      .isEmpty
    now.note(line, in: name, anew: isFirst)
  }
}
