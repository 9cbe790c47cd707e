internal import PipeIO

// Dead letters: one file in dead/ for each item, flushed before the item is done in now/. While the
// item is claimed the file means nothing, because a claim beats it.
extension Claimer {
  /// Writes dead letters. Returns the burials for which there is no room: they are tried again
  /// later.
  func bury(
    _ burials: [SettlingPlan.Burial], of claim: borrowing Claim
  ) throws(Fault) -> [SettlingPlan.Burial] {
    // If the letter were on disk before the claim, a power cut would leave an item both ready and
    // dead.
    try queue.now().flush()
    let written = try writeLetters(burials, of: claim)
    let register = Register(queue.root)
    var done = 0
    do throws(Fault) {
      // The register comes last, and lane by lane: on a full disk its changes are hard to undo.
      while done < written {
        let lane = claim.parts[burials[done].part].name.range.lane
        let next = burials[done..<written].prefix {
          claim.parts[$0.part].name.range.lane == lane
        }
        try register.add(ranges(next, of: claim))
        done += next.count
      }
      return Array(burials[written...])
    } catch {
      guard error.kind == .tryLater else { throw error }
      reportFull(error)
      let refused = ranges(burials[done..<written], of: claim)
      try queue.clearAside(.dead, refused)
      try register.undo(refused)
      return Array(burials[done...])
    }
  }

  // Returns how many of them found room.
  private func writeLetters(
    _ burials: [SettlingPlan.Burial], of claim: borrowing Claim
  ) throws(Fault) -> Int {
    var letters = SideWriter(queue, flushing: .init(files: burials.count))
    var written = 0
    do throws(Fault) {
      for burial in burials {
        let part = claim.parts[burial.part]
        let range = part.range(burial.item..<(burial.item + 1))
        let letter = letter(burial.failure, part, range, try queue.now())
        try letters.write(SideName(range: range), letter)
        written += 1
      }
    } catch {
      guard error.kind == .tryLater else { throw error }
      reportFull(error)
      try queue.clearAside(.dead, ranges(burials[written...], of: claim))
    }
    try letters.flush()
    return written
  }

  private func reportFull(_ fault: Fault) {
    queue.report("\(fault.text); items that were to be buried are tried again later")
  }

  private func ranges(
    _ burials: ArraySlice<SettlingPlan.Burial>, of claim: borrowing Claim
  ) -> [ItemRange] {
    burials.map { claim.parts[$0.part].range($0.item..<($0.item + 1)) }
  }

  /// Takes over the ranges with items that it will bury, under an id that no token names. If this process dies on
  /// the way, a reaper removes what it wrote; until then no other process can settle these items. Throws if the
  /// claim is gone.
  /// Step of: bury
  func own(
    _ claim: consuming Claim, _ burials: [SettlingPlan.Burial]
  ) throws(Fault) -> Claim {
    try begin()
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    sync.note()
    for index in Set(burials.map(\.part)).sorted() {
      let own = takenOver(claim.parts[index].name)
      try rename(claim.parts[index].name, to: own, batch: claim.batch)
      claim.parts[index].name = own
    }
    return claim
  }

  /// The name of a claim or hold once it is this process's, under an id that is no token.
  func takenOver(_ name: NowName) -> NowName {
    NowName(
      name.range,
      .claim(batch: name.batch!.withdrawn, attempt: name.attempt!, owner: owner!.slot))
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
