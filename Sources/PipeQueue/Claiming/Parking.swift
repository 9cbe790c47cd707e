internal import PipeIO

// now/ is listed at each claim, so it holds few names that only wait; the others are parked in later/.
// On its way an item is claimed by whoever moves it, with the attempts that it has: so a crash anywhere
// leaves a claim of a dead process and perhaps a file in later/, which the reaper removes.
extension Claimer {
  /// Moves names that wait longest from now/ to later/, until few are left. Does nothing where somebody else
  /// is at it.
  func park() throws(Fault) {
    let later = try queue.part(Aside.later.rawValue)
    guard try later.tryLock() else { return }
    defer { later.unlock() }
    while try parkSome() {}
  }

  private func parkSome() throws(Fault) -> Bool {
    let moving = try takeForParking()
    guard !moving.isEmpty else { return false }
    do throws(Fault) {
      // Were the claims not on disk and the files were, a power cut would leave items in both places.
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

  private func write(_ moving: [Moving]) throws(Fault) {
    var later = AsideWriter(queue, flushing: .names)
    let now = try queue.now()
    for (name, claim) in moving.sorted(by: { $0.name.range.comesBefore($1.name.range) }) {
      let aside = AsideName(range: name.range, waiting: name.state)
      try later.write(aside, now.history(claim.text))
    }
    try later.flush()
    try Register(queue.root).add(moving.map(\.name.range))
  }

  // From the earliest on: the mark is there before anything is done with.
  private func finishParking(_ moving: [Moving]) throws(Fault) {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let due = moving.reduce(Int64.max) { min($0, $1.name.due!.at) }
    let items = moving.reduce(0) { $0 + $1.name.range.count }
    try queue.lowerMark(to: due, adding: items, at: wall())
    for (name, claim) in moving { _ = try queue.rename(claim, to: NowName(name.range, .done)) }
  }

  private func unpark(_ all: [Moving]) throws(Fault) {
    // What is done with already is in later/ alone.
    let held = try queue.namesNow()
    let moving = all.filter { held.contains($0.claim) }
    try queue.clearAside(.later, moving.map(\.name.range))
    try? Register(queue.root).remove(moving.map(\.name.range))
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    for (name, claim) in moving { _ = try queue.rename(claim, to: name) }
  }
}
