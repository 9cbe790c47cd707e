internal import PipeIO

// A claim whose holder is dead is ready from the moment its slot is free, whether or not a consumer has
// been there to give it another name (pipe-queue(5), LIVENESS).
extension Queue {
  /// The names of one instant as a consumer that came now would make them, for those that report states.
  func reportedNames() throws(Fault) -> [NowName] {
    try lockNow(exclusive: false)
    defer { unlockNow() }
    return withoutDeadHolders(try listNow().names)
  }

  private func withoutDeadHolders(_ names: [NowName]) -> [NowName] {
    var isDead: [Int: Bool] = [:]
    return names.map { name in
      guard let slot = name.owner else { return name }
      let dead = isDead[slot] ?? Owner.isDead(slot, self)
      isDead[slot] = dead
      return dead ? name.reaped : name
    }
  }
}

extension NowName {
  /// What a reaper makes of a claim: its attempt counted, due at once. One that was claimed without an
  /// attempt was only on its way to later/ or from there.
  var reaped: NowName {
    guard case .claim(let batch, let attempt, _) = state else { return self }
    return NowName(
      range, attempt > 0 ? .again(batch: batch, attempt: attempt, due: .now) : .untried)
  }
}
