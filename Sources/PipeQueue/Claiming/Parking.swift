internal import CPipeIO
internal import Glibc
internal import PipeIO

// now/ is listed at each claim, so it holds few names that only wait; the others are parked in later/.
// On its way an item is claimed by whoever moves it, with the attempts that it has: so a crash anywhere
// leaves a claim of a dead process and perhaps a file in later/, which the reaper removes.
extension Claimer {
  /// Moves names that wait longest from now/ to later/, until few are left. Does nothing where somebody else
  /// is at it.
  func park() throws(Fault) {
    let later = try queue.root.existing(Aside.later.rawValue)
    guard try later.tryLock() else { return }
    defer { later.unlock() }
    while try parkSome() {}
  }

  private func parkSome() throws(Fault) -> Bool {
    let moving = try takeForParking()
    guard !moving.isEmpty else { return false }
    do throws(Fault) {
      let now = try queue.now()
      // Were the claims not on disk and the files were, a power cut would leave items in both places.
      try now.flush()
      try write(moving.map { ($0.name, now.history($0.claim.text)) })
      try finishParking(moving)
      return true
    } catch {
      try unpark(moving)
      if error.kind != .tryLater { throw error }
      return false
    }
  }

  private typealias Moving = (name: NowName, claim: NowName)

  private func takeForParking() throws(Fault) -> [Moving] {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let now = wall()
    let all = try queue.listNow().names.filter { $0.isFar(at: now) }
    guard all.count > limits.mostWaiting - limits.portion else { return [] }
    let far = all.sorted { $0.due!.at > $1.due!.at }.prefix(limits.portion)
    var moving: [Moving] = []
    let batch = nextBatch()
    for name in far {
      let state = NowName.State.claim(batch: batch, attempt: name.attempt!, owner: owner!.slot)
      let claim = NowName(name.range, state)
      if try queue.rename(name, to: claim) { moving.append((name, claim)) }
    }
    sync.note()
    return moving
  }

  private func write(_ names: [(NowName, history: [UInt8])]) throws(Fault) {
    let aside = names.map { AsideName(range: $0.0.range, waiting: $0.0.state) }
    for group in AsideGroup.split(aside) {
      let directory = try queue.asideDirectory(.later, group.lane, group.shard)
      for name in group.names {
        let file = try Descriptor.create(name.text, in: directory, O_WRONLY | O_TRUNC)
        let history = names.first { $0.0.range == name.range }!.history
        if !history.isEmpty { try history.write(to: file, at: 0) }
      }
      try directory.flush()
    }
  }

  // From the earliest on: the mark is there before anything is done with.
  private func finishParking(_ moving: [Moving]) throws(Fault) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let due = moving.reduce(Int64.max) { min($0, $1.name.due!.at) }
    try queue.lowerMark(to: due, adding: moving.count, at: wall())
    for (name, claim) in moving { _ = try queue.rename(claim, to: NowName(name.range, .done)) }
  }

  private func unpark(_ all: [Moving]) throws(Fault) {
    // What is done with already is in later/ alone.
    let held = try queue.namesNow()
    let moving = all.filter { held.contains($0.claim) }
    for (name, _) in moving { try queue.clearAside(name.range, [.later]) }
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    for (name, claim) in moving { _ = try queue.rename(claim, to: name) }
  }
}

extension Claimer {
  /// Brings names that are due, and some that soon are, from later/ to now/. Waits for whoever is at it.
  func restore() throws(Fault) {
    let later = try queue.root.existing(Aside.later.rawValue)
    try Queue.lock(later, exclusive: true, queue.report)
    defer { later.unlock() }
    let now = wall()
    guard let mark = try queue.mark(), mark.isOver(at: now) else { return }
    let scan = try LaterScan(queue, at: now, most: limits.portion)
    let moving = try claimParked(scan.chosen)
    try queue.now().flush()
    try queue.removeAside(scan.chosen)
    for name in scan.chosen { try queue.clearAside(name.range, [.dead]) }
    try queue.dropEmpty(scan.chosen)
    try finishRestoring(moving, scan, at: now)
  }

  private func claimParked(_ names: [AsideName]) throws(Fault) -> [Moving] {
    let histories = try names.map { (name) throws(Fault) -> [UInt8] in
      try queue.root.existing(name.kind.path(name.range.lane, name.shard)).history(name.text)
    }
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    var namer = Namer(queue, try queue.listNow())
    let batch = nextBatch()
    var moving: [Moving] = []
    for (name, history) in zip(names, histories) {
      let again = NowName(name.range, name.waiting!)
      let state = NowName.State.claim(batch: batch, attempt: again.attempt!, owner: owner!.slot)
      try namer.create(NowName(name.range, state), history: history)
      moving.append((again, NowName(name.range, state)))
    }
    return moving
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
      let later = try queue.root.existing(Aside.later.rawValue)
      guard try later.tryLock() else { return false }
      defer { later.unlock() }
      let scan = try LaterScan(queue, at: wall(), most: 1)
      guard let first = scan.chosen.first?.waiting else { return false }
      try queue.lockNow(exclusive: true)
      defer { queue.unlockNow() }
      guard case .again(_, _, let due) = first else { return false }
      try queue.lowerMark(to: min(due.at, scan.nextDue), adding: scan.left + 1, at: wall())
      return true
    }
    return false
  }
}

/// All of later/, of which only what comes first is kept.
struct LaterScan {
  /// What is due, in the order of the line; if there is room, then what is due next.
  private(set) var chosen: [AsideName] = []
  /// Names that stay, and when the first of them is due.
  private(set) var left = 0
  private(set) var nextDue = Int64.max
  private let most: Int
  private let now: Int64

  init(_ queue: Queue, at now: Int64, most: Int) throws(Fault) {
    self.most = most
    self.now = now
    for lane in Priority.allCases {
      for shard in try queue.shards(.later, lane) {
        chosen += try queue.namesAside(.later, lane, shard)
        if chosen.count > 4 * most { reduce() }
      }
    }
    reduce()
  }

  private mutating func reduce() {
    let sorted = chosen.sorted { comesBefore($0, $1) }
    for name in sorted.dropFirst(most) {
      left += 1
      nextDue = min(nextDue, time(name))
    }
    chosen = Array(sorted.prefix(most))
  }

  // One that the clock makes wait for longer than was meant comes now, to be corrected there.
  private func time(_ name: AsideName) -> Int64 {
    guard case .again(_, _, let due) = name.waiting else { return 0 }
    return due.corrected(at: now) == nil ? max(due.at, now) : now
  }

  private func comesBefore(_ one: AsideName, _ other: AsideName) -> Bool {
    let (a, b) = (time(one), time(other))
    return a == b ? one.range.comesBefore(other.range) : a < b
  }
}

extension Queue {
  func mark() throws(Fault) -> LaterMark? { try listingNow().later }

  /// Under the exclusive lock of now/, and that of later/.
  func lowerMark(to due: Int64, adding count: Int, at now: Int64) throws(Fault) {
    let old = try listNow().later
    try setMark(
      LaterMark(due: min(due, old?.due ?? .max), set: now, items: count + (old?.items ?? 0)))
  }

  /// nil: nothing is in later/. Under both locks.
  func setMark(_ mark: LaterMark?) throws(Fault) {
    let listing = try listNow()
    guard let old = listing.later else {
      guard let mark else { return }
      var namer = Namer(self, listing)
      return try namer.createFile(mark.text)
    }
    if let mark {
      if mark != old { _ = try now().rename(old.text, to: mark.text) }
    } else {
      _ = try setAside(old.text)
    }
  }

  /// Removes directories of these that have become empty.
  func dropEmpty(_ names: [AsideName]) throws(Fault) {
    for group in AsideGroup.split(names) {
      guard let lane = try Directory.open("\(group.kind.rawValue)/\(group.lane.name)", in: root)
      else { continue }
      try lane.removeDirectory(String(group.shard))
    }
  }
}
