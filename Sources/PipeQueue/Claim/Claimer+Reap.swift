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
      let isAll = try takeOrphans()
      guard !reaping.isEmpty else { return hasReaped }
      hasReaped = true
      try reapTaken()
      if isAll { return true }
    }
  }

  /// Slots without a holder, each with its lock; nil where no process can take the slot. The locks
  /// are kept until their claims are this process's, so that no other process takes a slot earlier.
  /// At most `portion` of them at a time, since each lock is a descriptor.
  private struct DeadSlots {
    // Arrays: few slots hold claims at once, and a start of the program would pay for what a set or a
    // dictionary needs of the runtime.
    private var locks: [(slot: Int, lock: Descriptor?)] = []
    private var alive: [Int] = []
    private(set) var isFull = false

    private static let portion = 16

    mutating func contain(_ slot: Int, _ queue: Queue) throws(Fault) -> Bool {
      if locks.contains(where: { $0.slot == slot }) { return true }
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
      case .alive:
        alive.append(slot)
        return false
      case .dead(let lock):
        locks.append((slot, lock))
        return true
      }
    }
  }

  private func reapTaken() throws(Fault) {
    try clearAside(reaping)
    var last: [NowName] = []
    try queue.lockNow(exclusive: true)
    do throws(Fault) {
      while let name = reaping.last {
        if let name = try release(name) { last.append(name) }
        reaping.removeLast()
      }
    } catch {
      queue.unlockNow()
      throw error
    }
    queue.unlockNow()
    sync.note()
    for name in last { try bury(name, Self.died) }
  }

  /// Makes claims of dead owners this process's, under ids that no token names: otherwise `ack`, which sees that
  /// this process holds their slots, could bury items whose letters are about to be removed. Returns whether these
  /// are all.
  /// Transition: reap last
  /// Step of: reap
  private func takeOrphans() throws(Fault) -> Bool {
    var dead = DeadSlots()
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    for name in try queue.listNow().names where !reaping.contains(name) {
      guard case .claim(let batch, _, let slot) = name.state, !isOfThisRun(batch) else { continue }
      // This process's own slot: its previous owner is dead, or the slot would not have been free.
      let isOrphan = if slot == owner?.slot { true } else { try dead.contain(slot, queue) }
      guard isOrphan else { continue }
      let own = takenOver(name)
      if try queue.rename(name, to: own) { reaping.append(own) }
    }
    return !dead.isFull
  }

  private static let died = Failure("the process that held it died")

  // Removes what dead owners were putting into later/ or dead/, or were bringing back, and writes and flushes
  // what they may have removed: a power cut would undo their unflushed changes after the items are done. Their
  // claims are flushed first: a claim that is not on disk may be all that keeps an item.
  private func clearAside(_ orphans: [NowName]) throws(Fault) {
    guard !orphans.isEmpty else { return }
    let ranges = orphans.map(\.range)
    try queue.now().flush()
    for kind in SideKind.allCases { try queue.clearAside(kind, ranges) }
    try Register(queue.root).remove(ranges)
  }

  /// Makes an orphaned claim ready again, or returns it to be buried if this was its last attempt.
  /// Transition: reap
  private func release(_ name: NowName) throws(Fault) -> NowName? {
    guard let batch = name.batch, let attempt = name.attempt else { return nil }
    if attempt == 0 {
      // Attempt 0: the item was only moving to later/ or from there.
      var nowDirectory = NowDirectory(queue, try queue.listNow())
      _ = try nowDirectory.uncover(name)
      return nil
    }
    if attempt > queue.settings.retries { return name }
    let text = name.text
    let now = try queue.now()
    let isKnown = History.attempts(now.history(text), of: name.range.from.number, name.range.lane)
      .contains { $0.number == attempt }
    // If the attempt is known, the item was only moving to later/ or from there.
    if !isKnown {
      let ended = Attempt(Self.died, number: attempt, started: batch.claimed, ended: wall())
      now.note(History.line(name.range, ended), in: text, replacing: attempt == 1)
    }
    let again = NowName(name.range, .again(batch: batch.handedOut, attempt: attempt, due: .now))
    _ = try queue.rename(name, to: again)
    return nil
  }

  /// Buries a claim that this process took over only for that.
  func bury(_ name: NowName, _ failure: Failure) throws(Fault) {
    let claim = try claim(name.batch!, [name], try queue.ends(covering: [name]))
    _ = try bury(claim, failure)
  }
}

// Unfiled items: the register lists them, but they have no name in later/ or dead/, because the
// name was lost. No process has done them, so they are ready again (pipe-queue(5), REGISTER).
extension Claimer {
  /// Returns unfiled items to now/. Searches once in the life of a process, when nothing else is
  /// ready. Returns whether there were any.
  func returnUnfiled() throws(Fault) -> Bool {
    guard !hasLookedForUnfiled else { return false }
    let later = try queue.part(SideKind.later.rawValue)
    // Another process is parking or restoring; the next claim tries again.
    guard try later.tryLock() else { return false }
    defer { later.unlock() }
    hasLookedForUnfiled = true
    var ranges: [ItemRange] = []
    for lane in Lane.allCases { ranges += try unfiled(lane) }
    guard !ranges.isEmpty else { return false }
    try giveBackUnfiled(ranges)
    return true
  }

  // Needs the lock of later/, so that nothing is parked or restored meanwhile. Items on their way
  // to dead/ are claimed.
  private func unfiled(_ lane: Lane) throws(Fault) -> [ItemRange] {
    var numbers: [Int] = []
    try queue.forEachUnfiled(lane) { numbers += $0 }
    guard !numbers.isEmpty else { return [] }
    let laneEnd = try queue.ends()[lane]
    var ranges: [ItemRange] = []
    for number in numbers {
      guard number < laneEnd.position.number,
        let position = try Lookup(queue).position(lane, of: number, laneEnd)
      else { continue }
      var next = position
      next.number += 1
      if let last = ranges.last, last.to == position, last.count < SideKind.width {
        ranges[ranges.count - 1].to = next
      } else {
        ranges.append(ItemRange(lane: lane, from: position, to: next))
      }
    }
    return ranges
  }

  // Claims hold the items until the register has dropped them, on disk.
  private func giveBackUnfiled(_ ranges: [ItemRange]) throws(Fault) {
    let (moving, covered) = try claimUnfiled(ranges)
    try queue.now().flush()
    try Register(queue.root).remove(covered)
    try finishRestoring(moving)
    let count = moving.reduce(0) { $0 + $1.name.range.count }
    if count > 0 {
      queue.note(
        "\(printable(queue.path)): \(count) items have no name in later/ or dead/;"
          + " they are ready again")
    }
  }

  /// Claims the items, attempts unchanged. Also returns the ranges that the register is to drop: all except
  /// those with a claimed item, which may be on its way to dead/.
  /// Transition: return
  private func claimUnfiled(
    _ ranges: [ItemRange]
  ) throws(Fault) -> (moving: [Moving], covered: [ItemRange]) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let listing = try queue.listNow()
    let ends = try queue.ends()
    var nowDirectory = NowDirectory(queue, listing)
    let batch = nextBatch()
    var (moving, covered): ([Moving], [ItemRange]) = ([], [])
    for range in ranges {
      let line = LaneMap(range.lane, end: ends[range.lane].position, names: listing.names)
      let states = range.numbers.map { line.state(of: $0) }
      if states.contains(where: { if case .claim = $0 { true } else { false } }) { continue }
      covered.append(range)
      // Any state but done is the true one: a process died after the rename and before it changed
      // the register.
      guard states.allSatisfy({ $0 == .done }) else { continue }
      let again = NowName(range, .again(batch: .revived, attempt: 0, due: .now))
      let claim = NowName(range, .claim(batch: batch, attempt: 0, owner: owner!.slot))
      try nowDirectory.create(claim)
      moving.append((again, claim))
    }
    return (moving, covered)
  }
}
