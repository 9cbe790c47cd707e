internal import PipeIO
internal import PipeTime

// Each claim lists now/, so now/ holds only a few names that wait; the others are parked in later/.
// While an item moves, the process that moves it claims it, attempts unchanged. So a crash at any
// point leaves a claim of a dead process and perhaps a file in later/, which the reaper removes.
extension Claimer {
  /// Parks the names that wait longest, from now/ in later/, until few are left. Does nothing if
  /// another process has the lock of later/.
  func park() throws(Fault) {
    let later = try queue.part(SideKind.later.rawValue)
    guard try later.tryLock() else { return }
    defer { later.unlock() }
    while try parkSome() {}
  }

  private func parkSome() throws(Fault) -> Bool {
    var moving: [Moving] = []
    do throws(Fault) {
      try takeForParking(&moving)
      guard !moving.isEmpty else { return false }
      // If the files were on disk before the claims, a power cut would leave items in both places.
      try queue.now().flush()
      try write(moving)
      try finishParking(moving)
      return true
    } catch {
      try unpark(moving)
      if error.kind != .tryLater { throw error }
      return false
    }
  }

  typealias Moving = (name: NowName, claim: NowName)

  /// Step of: park
  private func takeForParking(_ moving: inout [Moving]) throws(Fault) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let now = wall()
    let listing = try queue.listNow()
    let ends = try queue.ends()
    // Not those that a crash left inside a wider name: parked beside it, they would come back after it is done.
    let all = Lane.allCases.flatMap { lane in
      LaneMap(lane, end: ends[lane].position, names: listing.names).waiting.filter {
        $0.isFar(at: now)
      }
    }
    guard all.count > limits.mostWaiting - limits.portion else { return }
    var nowDirectory = NowDirectory(queue, listing)
    let far = all.sorted { $0.due!.at > $1.due!.at }.prefix(limits.portion)
    let batch = nextBatch()
    sync.note()
    for name in far {
      let state = NowName.State.claim(batch: batch, attempt: name.attempt!, owner: owner!.slot)
      let claim = NowName(name.range, state)
      try nowDirectory.name(claim, replacing: name)
      moving.append((name, claim))
    }
  }

  private func write(_ moving: [Moving]) throws(Fault) {
    var later = SideWriter(queue, flushing: .names)
    let now = try queue.now()
    for (name, claim) in moving.sorted(by: { $0.name.range.comesBefore($1.name.range) }) {
      let aside = SideName(range: name.range, waiting: name.state)
      try later.write(aside, now.history(claim.text))
    }
    try later.flush()
    try Register(queue.root).add(moving.map(\.name.range))
  }

  /// Lowers the parked hint to the earliest of the names first, so that it covers every item that
  /// becomes done.
  /// Transition: park
  private func finishParking(_ moving: [Moving]) throws(Fault) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let due = moving.reduce(Instant.distantFuture) { min($0, $1.name.due!.at) }
    let items = moving.reduce(0) { $0 + $1.name.range.count }
    try queue.lowerHint(to: due, adding: items, at: wall())
    for (name, claim) in moving { _ = try queue.rename(claim, to: NowName(name.range, .done)) }
  }

  /// Step of: park
  private func unpark(_ all: [Moving]) throws(Fault) {
    // Items that are done already are in later/ alone.
    let held = try queue.namesNow()
    let moving = all.filter { held.contains($0.claim) }
    // If that fails, the claims stay, and the reaper does it.
    try queue.clearAside(.later, moving.map(\.name.range))
    try Register(queue.root).undo(moving.map(\.name.range))
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    for (name, claim) in moving { _ = try queue.rename(claim, to: name) }
  }
}

extension Claimer {
  /// Restores names that are due, and some that soon are, from later/ to now/. Waits for the lock
  /// of later/.
  func restore() throws(Fault) {
    let later = try queue.part(SideKind.later.rawValue)
    try Queue.lock(later, exclusive: true, queue.report)
    defer { later.unlock() }
    let now = wall()
    guard let hint = try queue.hint(), hint.isOver(at: now) else { return }
    let scan = try LaterScan(queue, at: now, most: limits.portion, known: hint.items)
    let moving = try takeBack(scan.chosen)
    try finishRestoring(moving, scan, at: now)
  }

  /// Restores these names whatever they wait for; call it under the lock of later/. The parked hint
  /// stays: it is early at worst, and the restore at its time corrects it.
  func restore(_ names: [SideName]) throws(Fault) {
    let moving = try takeBack(names)
    try finishRestoring(moving)
  }

  private func takeBack(_ names: [SideName]) throws(Fault) -> [Moving] {
    let moving = try claimParked(names)
    try queue.now().flush()
    try queue.removeAside(names)
    try queue.clearAside(.dead, names.map(\.range))
    try Register(queue.root).remove(names.map(\.range))
    try queue.dropEmpty(names)
    return moving
  }

  /// Claims the parked items in now/, attempts unchanged.
  /// Transition: restore
  private func claimParked(_ names: [SideName]) throws(Fault) -> [Moving] {
    let known = try histories(names)
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    var nowDirectory = NowDirectory(queue, try queue.listNow())
    let batch = nextBatch()
    var moving: [Moving] = []
    for (name, history) in known {
      let again = NowName(name.range, name.waiting!)
      let state = NowName.State.claim(batch: batch, attempt: again.attempt!, owner: owner!.slot)
      try nowDirectory.create(NowName(name.range, state), history: history)
      moving.append((again, NowName(name.range, state)))
    }
    return moving
  }

  private func histories(_ names: [SideName]) throws(Fault) -> [(SideName, [UInt8])] {
    var found: [(SideName, [UInt8])] = []
    for group in SideGroup.split(names) {
      let directory = try queue.root.existing(group.path)
      found += group.names.map { ($0, directory.history($0.text)) }
    }
    return found
  }

  /// Step of: restore, return
  func finishRestoring(_ moving: [Moving]) throws(Fault) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    for (name, claim) in moving { _ = try queue.rename(claim, to: name) }
    sync.note()
  }

  /// Step of: restore
  private func finishRestoring(_ moving: [Moving], _ scan: LaterScan, at now: Instant) throws(Fault)
  {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    for (name, claim) in moving { _ = try queue.rename(claim, to: name) }
    try queue.setHint(
      scan.left == 0 ? nil : ParkedHint(due: scan.nextDue, set: now, items: scan.left))
    sync.note()
  }

  /// Creates the parked hint if a crash undid it: without the hint no item would ever leave later/.
  /// Returns whether it created one.
  func ensureHint() throws(Fault) -> Bool {
    guard try queue.hint() == nil else { return false }
    for lane in Lane.allCases where try !queue.shards(.later, lane).isEmpty {
      let later = try queue.part(SideKind.later.rawValue)
      guard try later.tryLock() else { return false }
      defer { later.unlock() }
      let scan = try LaterScan(queue, at: wall(), most: 1)
      guard let first = scan.chosen.first else { return false }
      try queue.lockNow(exclusive: true)
      defer { queue.unlockNow() }
      guard case .again(_, _, let due) = first.waiting else { return false }
      let items = scan.left + first.range.count
      try queue.lowerHint(to: min(due.at, scan.nextDue), adding: items, at: wall())
      return true
    }
    return false
  }
}

/// A scan of later/ that keeps only the names that come first.
struct LaterScan {
  /// Due names in lane order; if there is room, then the names that are due next.
  private(set) var chosen: [SideName] = []
  /// Items that stay in later/, and when the first of them is due.
  private(set) var left = 0
  private(set) var nextDue = Instant.distantFuture
  private let most: Int
  private let now: Instant

  /// `known`: the number of items in later/ by the parked hint. If it is given, the scan ends once
  /// enough names are due: directories are listed in lane order, and due names are chosen in that
  /// order.
  init(_ queue: Queue, at now: Instant, most: Int, known: Int? = nil) throws(Fault) {
    self.most = most
    self.now = now
    var due = 0
    for lane in Lane.allCases {
      for shard in try queue.shards(.later, lane) {
        let names = try queue.namesAside(.later, lane, shard)
        due += names.count { time($0) <= now }
        chosen += names
        if let known, due >= most {
          stop(known)
          return
        }
        if chosen.count > 4 * most { reduce() }
      }
    }
    reduce()
  }

  private mutating func stop(_ known: Int) {
    reduce()
    left = max(1, known - chosen.reduce(0) { $0 + $1.range.count })
    nextDue = now
  }

  private mutating func reduce() {
    let sorted = chosen.sorted { comesBefore($0, $1) }
    for name in sorted.dropFirst(most) {
      left += name.range.count
      nextDue = min(nextDue, time(name))
    }
    chosen = Array(sorted.prefix(most))
  }

  // A name that would wait longer than intended because the clock was set back counts as due, and
  // is corrected in now/.
  private func time(_ name: SideName) -> Instant {
    guard case .again(_, _, let due) = name.waiting else { return .epoch }
    return due.corrected(at: now) == nil ? max(due.at, now) : now
  }

  private func comesBefore(_ one: SideName, _ other: SideName) -> Bool {
    let (a, b) = (time(one), time(other))
    return a == b ? one.range.comesBefore(other.range) : a < b
  }
}
