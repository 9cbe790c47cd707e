internal import PipeIO

// Somebody else may have treated them since they were looked up, or be about to bury them.
extension Queue {
  typealias DeadStep = ([AsideName]) throws(Fault) -> Void

  /// Takes two steps with those that are dead still, if there are any, and returns them. Under the lock of
  /// later/, and the first one under that of now/ too: without both nothing that is dead changes.
  func withStillDead(
    _ candidates: [AsideName], first: DeadStep? = nil, then: DeadStep
  ) throws(Fault) -> [AsideName] {
    guard !candidates.isEmpty else { return [] }
    let later = try part(Aside.later.rawValue)
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    let names = try stillDead(candidates, first)
    if !names.isEmpty { try then(names) }
    return names
  }

  private func stillDead(_ candidates: [AsideName], _ first: DeadStep?) throws(Fault) -> [AsideName]
  {
    try lockNow(exclusive: true)
    defer { unlockNow() }
    let names = try stillDead(candidates)
    if !names.isEmpty { try first?(names) }
    return names
  }

  private func stillDead(_ names: [AsideName]) throws(Fault) -> [AsideName] {
    let listing = try listNow()
    let ends = try ends()
    let lines = Priority.allCases.map { LaneLine($0, end: ends[$0].place, names: listing.names) }
    var found: [AsideName] = []
    for group in AsideGroup.split(names) {
      let dead = Set(try namesAside(.dead, group.lane, group.shard).map(\.text))
      let back = AsideLine(try namesAside(.later, group.lane, group.shard))
      let line = lines[Int(group.lane.rawValue)]
      found += group.names.filter {
        let number = $0.range.from.number
        return dead.contains($0.text) && back.state(of: number) == nil
          && line.state(of: number) == .done
      }
    }
    return found
  }
}
