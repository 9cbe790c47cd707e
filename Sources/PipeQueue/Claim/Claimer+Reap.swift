internal import PipeIO

// Claims of dead owners. Reaping waits for no locks except that of now/ and those of register
// files.
extension Claimer {
  /// Makes the claims of dead owners ready again, attempt counted. Claims at their last attempt are
  /// buried: an item that kills its consumer each time must not do so for ever. Returns whether
  /// there were any.
  @discardableResult
  func reap() throws(Fault) -> Bool {
    var hasReaped = false
    while true {
      var dead = DeadSlots()
      let orphans = try orphans(&dead)
      guard !orphans.isEmpty else { return hasReaped }
      hasReaped = true
      try reap(orphans)
      if !dead.isFull { return true }
    }
  }

  /// Slots without a holder, each with its lock; nil where no process can take the slot. The locks
  /// are kept until the last of their claims is renamed, so that no process takes a slot earlier.
  /// At most `portion` of them at a time, since each lock is a descriptor.
  private struct DeadSlots {
    private var locks: [Int: Descriptor?] = [:]
    private var alive: Set<Int> = []
    private(set) var isFull = false

    private static let portion = 16

    mutating func contain(_ slot: Int, _ queue: Queue) throws(Fault) -> Bool {
      if locks[slot] != nil { return true }
      if isFull || alive.contains(slot) { return false }
      if locks.count == DeadSlots.portion {
        isFull = true
        return false
      }
      let holder: Owner.Holder
      do throws(Fault) { holder = try Owner.holder(of: slot, queue) } catch {
        guard error.kind == .tryLater, !locks.isEmpty else { throw error }
        isFull = true
        return false
      }
      switch holder {
      case .alive: alive.insert(slot)
      case .dead(let lock): locks.updateValue(lock, forKey: slot)
      }
      return locks[slot] != nil
    }
  }

  private func reap(_ orphans: [NowName]) throws(Fault) {
    try clearAside(orphans)
    var last: [NowName] = []
    try queue.lockNow(exclusive: true)
    do throws(Fault) {
      for name in orphans { if let taken = try release(name) { last.append(taken) } }
    } catch {
      queue.unlockNow()
      throw error
    }
    queue.unlockNow()
    sync.note()
    for name in last { try bury(name, Self.died) }
  }

  private func orphans(_ dead: inout DeadSlots) throws(Fault) -> [NowName] {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    var found: [NowName] = []
    for name in try queue.listNow().names {
      guard case .claim(let batch, _, let slot) = name.state, !isOfThisRun(batch) else { continue }
      // This process's own slot: its previous owner is dead, or the slot would not have been free.
      if slot == owner?.slot {
        found.append(name)
      } else if try dead.contain(slot, queue) {
        found.append(name)
      }
    }
    return found
  }

  private static let died = Failure("the process that held it died")

  // Removes what dead owners were putting into later/ or dead/, or were bringing back. Their claims
  // are flushed first: a claim that is not on disk may be all that keeps an item.
  private func clearAside(_ orphans: [NowName]) throws(Fault) {
    let ranges = orphans.map(\.range)
    let aside =
      try queue.namesAside(.later, of: ranges) + (try queue.namesAside(.dead, of: ranges))
    let register = Register(queue.root)
    var listed: [ItemRange] = []
    for range in ranges where try !register.items(range.lane, range.numbers).isEmpty {
      listed.append(range)
    }
    guard !aside.isEmpty || !listed.isEmpty else { return }
    try queue.now().flush()
    try queue.removeAside(aside)
    try register.remove(listed)
  }

  /// Makes an orphaned claim ready again, or takes it over at its last attempt. Returns the claim
  /// that was taken over, to be buried.
  /// Transition: reap, reap last
  private func release(_ name: NowName) throws(Fault) -> NowName? {
    guard let batch = name.batch, let attempt = name.attempt else { return nil }
    if attempt == 0 {
      // Attempt 0: the item was only moving to later/ or from there.
      var nowDirectory = NowDirectory(queue, try queue.listNow())
      _ = try nowDirectory.uncover(name)
      return nil
    }
    if let owner, attempt > queue.settings.retries {
      let own = NowName(
        name.range, .claim(batch: batch.withdrawn, attempt: attempt, owner: owner.slot))
      return try queue.rename(name, to: own) ? own : nil
    }
    let text = name.text
    let now = try queue.now()
    let isKnown = History.attempts(now.history(text), of: name.range.from.number, name.range.lane)
      .contains { $0.number == attempt }
    // If the attempt is known, the item was only moving to later/ or from there.
    if !isKnown {
      let ended = Attempt(Self.died, number: attempt, started: batch.claimed, ended: wall())
      now.note(History.line(name.range, ended), in: text, replacing: attempt == 1)
    }
    let again = NowName(name.range, .again(batch: batch, attempt: attempt, due: .now))
    _ = try queue.rename(name, to: again)
    return nil
  }

  /// Buries a claim that this process took over only for that.
  func bury(_ name: NowName, _ failure: Failure) throws(Fault) {
    let claim = try claim(name.batch!, [name], try queue.ends())
    _ = try bury(claim, failure)
  }
}
