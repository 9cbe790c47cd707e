internal import PipeIO

extension Claimer {
  /// Brings names that are due, and some that soon are, from later/ to now/. Waits for whoever is at it.
  func restore() throws(Fault) {
    let later = try queue.part(Aside.later.rawValue)
    try Queue.lock(later, exclusive: true, queue.report)
    defer { later.unlock() }
    let now = wall()
    guard let mark = try queue.mark(), mark.isOver(at: now) else { return }
    let scan = try LaterScan(queue, at: now, most: limits.portion, known: mark.items)
    let moving = try claimParked(scan.chosen)
    try queue.now().flush()
    try queue.removeAside(scan.chosen)
    try queue.clearAside(.dead, scan.chosen.map(\.range))
    try Register(queue.root).remove(scan.chosen.map(\.range))
    try queue.dropEmpty(scan.chosen)
    try finishRestoring(moving, scan, at: now)
  }

  private func claimParked(_ names: [AsideName]) throws(Fault) -> [Moving] {
    let known = try histories(names)
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    var namer = Namer(queue, try queue.listNow())
    let batch = nextBatch()
    var moving: [Moving] = []
    for (name, history) in known {
      let again = NowName(name.range, name.waiting!)
      let state = NowName.State.claim(batch: batch, attempt: again.attempt!, owner: owner!.slot)
      try namer.create(NowName(name.range, state), history: history)
      moving.append((again, NowName(name.range, state)))
    }
    return moving
  }

  private func histories(_ names: [AsideName]) throws(Fault) -> [(AsideName, [UInt8])] {
    var found: [(AsideName, [UInt8])] = []
    for group in AsideGroup.split(names) {
      let directory = try queue.root.existing(group.path)
      found += group.names.map { ($0, directory.history($0.text)) }
    }
    return found
  }

  private func finishRestoring(_ moving: [Moving], _ scan: LaterScan, at now: Int64) throws(Fault) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    for (name, claim) in moving { _ = try queue.rename(claim, to: name) }
    try queue.setMark(
      scan.left == 0 ? nil : LaterMark(due: scan.nextDue, set: now, items: scan.left))
    sync.note()
  }

  /// A mark that a crash took back: without it nothing in later/ would ever come. Returns whether there is
  /// something now that was not seen.
  func ensureMark() throws(Fault) -> Bool {
    guard try queue.mark() == nil else { return false }
    for lane in Priority.allCases where try !queue.shards(.later, lane).isEmpty {
      let later = try queue.part(Aside.later.rawValue)
      guard try later.tryLock() else { return false }
      defer { later.unlock() }
      let scan = try LaterScan(queue, at: wall(), most: 1)
      guard let first = scan.chosen.first else { return false }
      try queue.lockNow(exclusive: true)
      defer { queue.unlockNow() }
      guard case .again(_, _, let due) = first.waiting else { return false }
      let items = scan.left + first.range.count
      try queue.lowerMark(to: min(due.at, scan.nextDue), adding: items, at: wall())
      return true
    }
    return false
  }
}
