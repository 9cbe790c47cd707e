package import PipeIO
package import PipeTime

// Settling is one rename for each range (pipe-queue(5), TRANSITIONS). If the name is gone, another
// process settled the claim, or found this process dead and made the items ready again.
extension Claimer {
  /// Acknowledges the whole claim.
  package func done(_ claim: consuming Claim) throws(Fault) {
    try acknowledge(claim)
    let all = CollectionOfOne(claim.items.indices)
    record(CollectionOfOne(claim.settled(.done, all, at: wall(), tag)))
  }

  /// Renames each range of the claim to done.
  /// Transition: acknowledge
  private func acknowledge(_ claim: borrowing Claim) throws(Fault) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    sync.note()
    for part in claim.parts {
      try rename(part.name, to: NowName(part.name.range, .done), batch: claim.batch)
    }
  }

  /// Makes all its items ready again, attempt counted, after the backoff from the settings; or
  /// buries them if that was the last attempt.
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

  /// Makes all its items ready again, as if they had not been claimed.
  package func giveBack(_ claim: consuming Claim) throws(Fault) {
    try acknowledge(claim, first: 0)
  }

  /// Acknowledges the first `count` items and gives the others back.
  package func acknowledge(_ claim: consuming Claim, first count: Int) throws(Fault) {
    if count >= claim.items.count { return try done(claim) }
    _ = try settle(claim) { $0 < count ? .done : .giveBack }
  }

  func backoff(_ attempt: Int) -> TimeSpan {
    queue.settings.backoff.delay(after: max(1, attempt), random: random())
  }

  /// Step of: the transition of its caller
  func rename(_ name: NowName, to new: NowName, batch: BatchID) throws(Fault) {
    if try queue.rename(name, to: new) { return }
    throw lost(batch)
  }

  /// Why a claim cannot be settled.
  package func lost(_ batch: BatchID) -> Fault {
    queue.isRemoved ? Queue.removed(queue.path) : batch.lost
  }
}

// Items of one claim with different outcomes.
extension Claimer {
  /// The same with a wait in place of a time.
  package func settle(
    _ claim: consuming Claim, wait: TimeSpan? = nil, takingOver: Bool = false,
    _ outcome: (Int) -> Outcome?
  ) throws(Fault) -> Claim? {
    try settle(claim, wait: wait, takingOver: takingOver, due: nil, outcome)
  }

  /// Settles the items for which `outcome`, given an index in `claim.items`, returns one. Returns a
  /// claim of the other items; nil if there are none. `wait`: the time until failed items are
  /// ready again; by default the backoff from the settings. `takingOver`: from here on this process
  /// holds the other items, instead of the process that handed them out. `due`: in place of the wait.
  func settle(
    _ claim: consuming Claim, wait: TimeSpan? = nil, takingOver: Bool = false,
    due: ReadyTime?, _ outcome: (Int) -> Outcome?
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
    let due = due ?? ReadyTime.after(wait ?? backoff(claim.attempt), from: now)
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

  // A hold stays with the clock.
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

  /// Settles one range, and returns the parts that stay claimed. `holder`: the state before this
  /// process took the range over to bury some of it; the other items stay with that holder and come
  /// back with the items they failed with.
  /// Transition: retry, partial settle, bury, give back
  private func settle(
    _ part: Part, _ fates: [SettlingPlan.Fate], _ due: ReadyTime, _ holder: NowName.State,
    batch: BatchID
  ) throws(Fault) -> [Part] {
    let state = { (fate: SettlingPlan.Fate) in fate.state(of: holder, due) }
    let runs = SettlingPlan.runs(fates, from: part.items.lowerBound)
    // The claim's file has the history: it becomes the last run that needs the history.
    let last = runs.lastIndex { $0.fate.keepsHistory } ?? runs.count - 1
    var kept: [Part] = []
    let listing =
      runs.count > 1 || runs[last].fate == .ready ? try queue.listNow() : NowListing()
    if runs.count > 1 {
      // New names of items whose claim is gone would contradict the process that settled it.
      guard listing.names.contains(part.name) else { throw lost(batch) }
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

  // Whether the items need no name, because they were never tried before and items that no name
  // covers are ready. Items that came from later/ or dead/ need one: they are done in now/, which
  // would show again.
  private func isUncovered(
    _ name: NowName, _ fate: SettlingPlan.Fate, _ listing: NowListing
  ) -> Bool {
    fate == .ready && name.attempt! == 0 && !listing.hasDone(in: name.range)
  }

  // Notes a failed attempt in the claim's file, before the claim is renamed. If the file cannot be
  // written, the attempt goes unnoted.
  private func note(_ failed: SettlingPlan.Failed, of part: Part) {
    guard let now = try? queue.now() else { return }
    let name = part.name.text
    let attempt = part.name.attempt ?? 1
    let line = History.line(
      part.range(failed.items),
      Attempt(failed.failure, number: attempt, started: part.name.batch?.claimed, ended: wall()))
    // A file that has no attempts at these items holds only lines of its earlier use.
    let isFirst =
      failed.isFirst
      && History.attempts(
        now.history(name), of: part.range(failed.items).from.number, part.name.range.lane
      )
      .isEmpty
    now.note(line, in: name, replacing: isFirst)
  }
}
