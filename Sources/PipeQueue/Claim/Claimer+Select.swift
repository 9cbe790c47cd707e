package import PipeIO
package import PipeTime

// Selects what is ready, under the lock of now/, and claims it.
extension Claimer {
  enum ClaimAttempt: ~Copyable {
    /// `isCrowded`: more names wait in now/ than `limits` allow.
    case claim(Claim, isCrowded: Bool)
    case nothing
    case paused
    /// Nothing yet: delayed or lost entries were passed over, and more may follow them.
    case more
    case crowded
    /// Parked items are due, and may come before everything in now/.
    case restore
    /// Holds that ended at their last attempt: claimed, to be buried.
    case overdue([NowName])
    /// A name extends past the end of its lane.
    case ahead
  }

  /// Selects and claims one batch. Names the entries that it passes over.
  /// Transition: pass over
  func tryClaim(_ request: Request) throws(Fault) -> ClaimAttempt {
    try queue.lockNow(exclusive: true)
    defer { queue.unlockNow() }
    let now = wall()
    var listing = try queue.listNow()
    try queue.putAsideDamaged(listing)
    if try isPaused(listing, at: now) { return .paused }
    try correct(&listing, at: now)
    try dissolve(&listing, at: now)
    let overdue = try takeOverdue(listing, at: now)
    if !overdue.isEmpty { return .overdue(overdue) }
    let hasDue = listing.later?.isOver(at: now) == true
    // 0: revived dead letters, which may come before everything in now/.
    let isRevived = listing.later?.due == .epoch
    if isRevived || hasDue && listing.names.count(where: { isReady($0, at: now) }) < limits.enough {
      return .restore
    }
    let ends = try queue.ends()
    if listing.names.reach(beyond: ends) { return .ahead }
    let selection = Selection(
      size: request.size, byteLimit: request.bytes, now: now, retries: queue.settings.retries)
    selection.early = listing.early
    passedOver.expire()
    try select(into: selection, listing, ends, at: now, more: hasDue)
    var nowDirectory = NowDirectory(queue, listing)
    for delay in selection.delays { try nowDirectory.create(delay) }
    try queue.flushUnlisted(of: selection.skips)
    for skip in selection.skips { try nowDirectory.create(NowName(skip, .done)) }
    for loss in selection.losses {
      try nowDirectory.giveUp(loss.range, of: loss.name)
      lose(loss.range.count)
    }
    let isCrowded = listing.farNames(at: now) + selection.delays.count > limits.mostWaiting
    nextPoll = steadyTime(of: nextDue(listing, selection.delays, at: now), at: now)
    if unreadable != nil {
      // No event reports that a missing segment was put back.
      nextPoll = min(nextPoll ?? .distantFuture, steady() + Claimer.lookAgainAtUnreadable)
    }
    isPaced = false
    if selection.parts.isEmpty {
      if selection.isEmpty { return .nothing }
      return isCrowded ? .crowded : .more
    }
    guard try take(selection, request, &nowDirectory, at: now) else { return .nothing }
    return .claim(selection.claim(), isCrowded: isCrowded)
  }

  private static let lookAgainAtUnreadable: TimeSpan = .seconds(10)

  /// Claims the selected items if the pace allows a batch now. The pace is checked last, so that
  /// the choice of items is made at the instant of dispatch.
  /// Transition: paced claim
  private func take(
    _ selection: Selection, _ request: Request, _ nowDirectory: inout NowDirectory, at now: Instant
  ) throws(Fault) -> Bool {
    let time = steady()
    var last = pace.read(at: time, wall: now) ?? Pace(started: .distantPast, wall: .epoch)
    let wait = request.every > .zero ? last.wait(request.every, at: time) : .zero
    if wait > .zero {
      isPaced = true
      nextPoll = time + wait
      return false
    }
    try name(selection, &nowDirectory)
    // After the renames: a process that dies before this has started nothing, and its turn stays
    // free.
    last.start(
      selection.itemCount, size: request.size, every: request.every, at: time, wall: now)
    pace.keep(last)
    sync.note()
    return true
  }

  /// Names the selected items as a new batch of this process.
  /// Step of: the transition of its caller
  func name(_ selection: Selection, _ nowDirectory: inout NowDirectory) throws(Fault) {
    selection.name(nextBatch(), owner: owner!.slot)
    for part in selection.parts {
      if let old = part.replacing { try noteOverdue(old) }
      try nowDirectory.name(part.claim, replacing: part.replacing)
    }
  }

  // Notes once that the hold was not settled in time, even if its items are claimed in several
  // parts.
  private func noteOverdue(_ name: NowName) throws(Fault) {
    guard case .hold(_, let attempt, let until) = name.state else { return }
    let now = try queue.now()
    let known = History.attempts(
      now.history(name.text), of: name.range.from.number, name.range.lane)
    if known.contains(where: { $0.number == attempt && $0.ended == until.at }) { return }
    let ended = Attempt(
      Claimer.overdue, number: attempt, started: name.batch?.claimed, ended: until.at)
    now.note(History.line(name.range, ended), in: name.text, replacing: attempt == 1)
  }

  static let overdue = Failure("not settled within its hold time")

  // `more`: later/ still has due names. They sort after the last one restored, but possibly before
  // everything else.
  private func select(
    into selection: Selection, _ listing: NowListing, _ ends: LaneEnds, at now: Instant, more: Bool
  ) throws(Fault) {
    try selectOverdue(into: selection, listing, ends, at: now)
    if !selection.isEmpty { return selection.close() }
    for lane in lanes where !selection.isFull {
      let line = LaneMap(lane, end: ends[lane].position, names: listing.names)
      let offers = offers(line, at: now)
      let last = more ? offers.lastIndex { $0.name != nil } : nil
      select(offers[...(last ?? offers.count - 1)], into: selection, ends[lane])
      if last != nil { selection.close() }
    }
  }

  /// With `init --promote-after`: selects the items that have waited that long, from the lane where one
  /// has waited longest.
  private func selectOverdue(
    into selection: Selection, _ listing: NowListing, _ ends: LaneEnds, at now: Instant
  ) throws(Fault) {
    guard let span = queue.settings.promoteAfter else { return }
    selection.acceptedBy = now - span
    defer { selection.acceptedBy = nil }
    var oldest: (time: Instant, offers: [ReadyRange], lane: Lane)?
    for lane in lanes {
      let line = LaneMap(lane, end: ends[lane].position, names: listing.names)
      let offers = offers(line, at: now)
      guard let first = offers.first, let found = firstLine(of: first.range, ends[lane]) else {
        continue
      }
      let time = found.accepted(at: now)
      if first.name == nil, found.isDelayed(at: now) {
        // It is passed over first: the items after it may have waited longest.
        select(offers.prefix(1), into: selection, ends[lane])
        if !selection.isEmpty { return }
      } else if time <= now - span, oldest.map({ time < $0.time }) ?? true {
        oldest = (time, offers, lane)
      }
    }
    if let oldest { select(oldest.offers[...], into: selection, ends[oldest.lane]) }
  }

  private func select(_ offers: ArraySlice<ReadyRange>, into selection: Selection, _ end: LaneEnd) {
    for offer in offers where !selection.isFull {
      do throws(Fault) { try collect(offer, into: selection, end: end) } catch {
        // A lane that cannot be read does not block the other lanes.
        return keep(error)
      }
    }
  }

  /// The first intact line at or after the start of a range; nil if the range cannot be read.
  private func firstLine(of range: ItemRange, _ end: LaneEnd) -> SegmentLine? {
    var at = range.from
    while at < range.to, let reading = try? step(range.lane, at, end) {
      switch reading {
      case .line(let line): return line
      case .damaged(let until): at.offset = until
      case .end: (at.segment, at.offset) = (at.segment + 1, 0)
      }
    }
    return nil
  }

  private func isPaused(_ listing: NowListing, at now: Instant) throws(Fault) -> Bool {
    guard let name = listing.pause, !name.isOver(at: now) else {
      pause = nil
      return false
    }
    if pause?.since != name.set { pause = try queue.pause(of: name) }
    nextPoll = steadyTime(of: pause?.until, at: now)
    isPaced = false
    return true
  }

  private func isReady(_ name: NowName, at now: Instant) -> Bool {
    name.due?.isOver(at: now) == true && !isHidden(name) && lanes.contains(name.range.lane)
  }

  // In lane order: a retried item keeps its position.
  private func offers(_ line: LaneMap, at now: Instant) -> [ReadyRange] {
    let waiting = line.waiting.filter { isReady($0, at: now) }
    let untouched = line.untouched.map { ReadyRange(range: $0, name: nil) }
    if waiting.isEmpty { return untouched }
    return (untouched + waiting.map { ReadyRange(range: $0.range, name: $0) }).sorted {
      $0.range.from < $1.range.from
    }
  }

  /// Renames what would wait longer than intended because the clock was set back: its wait starts
  /// again now.
  /// Transition: correct
  private func correct(_ listing: inout NowListing, at now: Instant) throws(Fault) {
    for index in listing.names.indices {
      let name = listing.names[index]
      // A name of passed-over entries is dissolved instead: they have waits of their own.
      guard !name.isDelay, let due = name.due?.corrected(at: now) else { continue }
      var right = name
      switch name.state {
      case .hold(let batch, let attempt, _):
        right.state = .hold(batch: batch, attempt: attempt, until: due)
      case .again(let batch, let attempt, _):
        right.state = .again(batch: batch, attempt: attempt, due: due)
      case .claim, .done, .lost, .dropped: continue
      }
      if try queue.rename(name, to: right) { listing.names[index] = right }
    }
  }

  /// Takes over the holds that ended at their last attempt.
  /// Transition: bury hold
  private func takeOverdue(_ listing: NowListing, at now: Instant) throws(Fault) -> [NowName] {
    var taken: [NowName] = []
    for name in listing.names {
      guard case .hold(_, let attempt, let until) = name.state, until.isOver(at: now),
        attempt > queue.settings.retries
      else { continue }
      let claim = takenOver(name)
      if try queue.rename(name, to: claim) { taken.append(claim) }
    }
    return taken
  }

  /// Removes pass-over names whose first entry is due, or would wait too long because the clock was
  /// set back: entries that no name covers are examined one by one.
  /// Transition: dissolve
  private func dissolve(_ listing: inout NowListing, at now: Instant) throws(Fault) {
    for name in listing.names where name.isDelay {
      let due = name.due!
      guard due.isOver(at: now) || due.corrected(at: now) != nil else { continue }
      var nowDirectory = NowDirectory(queue, listing)
      if try nowDirectory.uncover(name) { listing = try queue.listNow() }
    }
  }

  private func nextDue(_ listing: NowListing, _ delays: [NowName], at now: Instant) -> Instant? {
    var next = listing.later?.due
    for name in listing.names + delays where !isHidden(name) {
      guard let due = name.due, !due.isOver(at: now) else { continue }
      next = min(next ?? .distantFuture, due.at)
    }
    return next
  }

  private func steadyTime(of due: Instant?, at now: Instant) -> SteadyInstant? {
    due.map { steady() + max(.zero, $0 - now) }
  }
}

/// Ready items, and the name that makes them ready; nil for items that no name covers.
struct ReadyRange {
  let range: ItemRange
  let name: NowName?
}

// The batches that would be handed out if nothing else happened from now on.
extension Claimer {
  /// Calls `body` with each batch of the items that wait in now/ or were never tried, in the order
  /// of handing out, and with the time from now until then, until it returns false. Takes
  /// nothing, and leaves out the items in later/.
  package func rehearse(
    size: Int, every: TimeSpan, _ body: (TimeSpan, borrowing Claim) throws(Fault) -> Bool
  ) throws(Fault) {
    let now = wall()
    let names = try queue.reportedNames().map { name in
      // The last attempt of a dead process: its items are buried, not handed out.
      name.isAgain && name.attempt! > queue.settings.retries ? NowName(name.range, .done) : name
    }
    let ends = try queue.ends()
    let early = try queue.listingNow().early
    var rehearsal = Rehearsal(names, ends, at: now)
    let last = PaceFile(queue, readOnly: true).read(at: steady(), wall: now)
    var at = every > .zero ? last?.wait(every, at: steady()) ?? .zero : .zero
    if let pause = try queue.pauseNow() {
      guard let until = pause.until else { return }
      at = max(at, until - now)
    }
    while let next = rehearsal.nextReady(at: now + at) {
      at = max(at, next - now)
      let selection = Selection(
        size: size, byteLimit: .max, now: now + at, retries: queue.settings.retries)
      selection.early = early
      passedOver.expire()
      for offer in rehearsal.offers(at: now + at) where !selection.isFull {
        do throws(Fault) { try collect(offer, into: selection, end: ends[offer.range.lane]) } catch
        {
          keep(error)
        }
      }
      if selection.isEmpty {
        // None of its items can be read.
        rehearsal.drop(at: now + at)
        continue
      }
      rehearsal.take(selection)
      if selection.itemCount == 0 { continue }
      if try !body(at, selection.claim()) { return }
      at = min(at + every, Rehearsal.horizon)
    }
  }
}

/// The waiting items that are not yet used up.
private struct Rehearsal {
  /// Batches further ahead are reported as this far ahead: a few thousand batches a
  /// century apart would exceed the largest number.
  static let horizon: TimeSpan = .microseconds(1 << 61)

  /// In lane order. `from`: when it is ready.
  private var waiting: [(offer: ReadyRange, from: Instant)] = []

  init(_ names: [NowName], _ ends: LaneEnds, at now: Instant) {
    for lane in Lane.allCases {
      let line = LaneMap(lane, end: ends[lane].position, names: names)
      waiting += line.untouched.map { (ReadyRange(range: $0, name: nil), .epoch) }
      let names = line.waiting.filter { !$0.isHeld(at: now) }
      waiting += names.map { (ReadyRange(range: $0.range, name: $0), $0.due!.at) }
    }
    sort()
  }

  private mutating func sort() {
    waiting.sort { $0.offer.range.comesBefore($1.offer.range) }
  }

  /// When the first is ready, at `now` or later; nil when all are used up.
  func nextReady(at now: Instant) -> Instant? { waiting.map { max(now, $0.from) }.min() }

  func offers(at now: Instant) -> [ReadyRange] { waiting.filter { $0.from <= now }.map(\.offer) }

  mutating func drop(at now: Instant) { waiting.removeAll { $0.from <= now } }

  mutating func take(_ selection: Selection) {
    for part in selection.parts { cut(part.claim.range) }
    for loss in selection.losses { cut(loss.range) }
    for skip in selection.skips { cut(skip) }
    for delay in selection.delays {
      cut(delay.range)
      waiting.append((ReadyRange(range: delay.range, name: delay), delay.due!.at))
    }
    sort()
  }

  // A taken range is the front of a ready range, except for delays that were passed over before it.
  private mutating func cut(_ taken: ItemRange) {
    guard
      let index = waiting.firstIndex(where: {
        $0.offer.range.lane == taken.lane && $0.offer.range.from.number <= taken.from.number
          && taken.from.number < $0.offer.range.to.number
      })
    else { return }
    let (offer, from) = waiting.remove(at: index)
    var rest = offer.range
    rest.from = taken.to
    if rest.count > 0 {
      waiting.insert((ReadyRange(range: rest, name: offer.name), from), at: index)
    }
  }
}
