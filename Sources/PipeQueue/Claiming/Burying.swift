internal import PipeIO

// Dead letters: a file in dead/ for each item, flushed before the item is done in now/. While its claim
// stands the file means nothing, because a claim beats it.
extension Claimer {
  /// Writes dead letters. Returns those for which there is no room: they are for later.
  func bury(
    _ burials: [SettlingPlan.Burial], of claim: borrowing Claim
  ) throws(Fault) -> [SettlingPlan.Burial] {
    // Were the claim not on disk and the letter were, a power cut would leave an item that is ready and dead.
    try queue.now().flush()
    var letters = AsideWriter(queue, flushing: burials.count > 16 ? .all : .files)
    let register = Register(queue.root)
    var written = 0
    do throws(Fault) {
      try register.add(burials.map { claim.parts[$0.part].range($0.item..<($0.item + 1)) })
      for burial in burials {
        let part = claim.parts[burial.part]
        let range = part.range(burial.item..<(burial.item + 1))
        let letter = letter(burial.failure, part, range, try queue.now())
        try letters.write(AsideName(range: range), letter)
        written += 1
      }
      try letters.flush()
      return []
    } catch {
      guard error.kind == .tryLater else { throw error }
      let left = Array(burials[written...])
      let ranges = left.map { claim.parts[$0.part].range($0.item..<($0.item + 1)) }
      try queue.clearAside(.dead, ranges)
      try letters.flush()
      // What is left in it by a full disk only means that the item is looked at again.
      try? register.remove(ranges)
      queue.report("\(error.text); what should be buried is tried again later")
      return left
    }
  }

  /// Makes this process the holder of what it is going to bury: if it dies on the way a reaper takes away
  /// what it has written. The one who handed it out, or the clock, would know nothing of that.
  func own(
    _ claim: consuming Claim, _ burials: [SettlingPlan.Burial]
  ) throws(Fault) -> Claim {
    let slot = owner?.slot
    if burials.allSatisfy({ slot != nil && claim.parts[$0.part].name.owner == slot }) {
      return claim
    }
    try begin()
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    sync.note()
    for index in claim.parts.indices where claim.parts[index].name.owner != owner!.slot {
      var name = claim.parts[index].name
      name.state = .claim(batch: name.batch!.withdrawn, attempt: name.attempt!, owner: owner!.slot)
      try rename(claim.parts[index].name, to: name, batch: claim.batch)
      claim.parts[index].name = name
    }
    return claim
  }

  private func letter(
    _ failure: Failure, _ part: Part, _ range: ItemRange, _ now: Directory
  ) -> [UInt8] {
    let name = part.name.text
    let attempt = part.name.attempt ?? 1
    let earlier = now.history(name)
    let last = Attempt(failure, number: attempt, started: part.name.batch?.claimed, ended: wall())
    let known = History.lines(earlier, of: range.from.number, range.lane)
    return known + History.line(range, last) + DeadLetter.stderrBlock(failure.stderr)
  }
}
