package import PipeIO
package import PipeTime

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
