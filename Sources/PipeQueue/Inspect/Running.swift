package import PipeIO
package import PipeTime

/// A batch that was taken and is not settled.
package struct RunningBatch {
  package let token: String
  package let items: Int
  package let attempt: Int
  package let since: Instant
  /// `process 4711 (pipe consume)`; nil if a hold keeps it, or if /proc/locks cannot tell.
  package let holder: String?

  package init(token: String, items: Int, attempt: Int, since: Instant, holder: String?) {
    self.token = token
    self.items = items
    self.attempt = attempt
    self.since = since
    self.holder = holder
  }
}

extension Queue {
  /// The batches that are taken now, longest first. `most`: of this many the holder is looked up.
  package func running(at now: Instant, holdersOf most: Int) throws(Fault) -> [RunningBatch] {
    let owners = try part("owners")
    // A claim that is held for several ranges is one batch.
    var batches: [BatchID: (items: Int, attempt: Int, since: Instant, slot: Int?)] = [:]
    for name in try reportedNames() where name.isHeld(at: now) {
      guard let batch = name.batch, let attempt = name.attempt else { continue }
      let since = name.due.map { $0.at - $0.span } ?? batch.claimed
      batches[batch, default: (0, attempt, since, name.owner)].items += name.range.count
    }
    let longest = batches.sorted { ($0.value.since, $0.key.text) < ($1.value.since, $1.key.text) }
    return longest.enumerated().map { place, batch in
      let slot = place < most ? batch.value.slot : nil
      return RunningBatch(
        token: batch.key.text, items: batch.value.items, attempt: batch.value.attempt,
        since: batch.value.since, holder: slot.flatMap { lockHolder(owners, Owner.name($0)) })
    }
  }
}
