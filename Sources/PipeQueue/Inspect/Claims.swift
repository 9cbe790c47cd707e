package import PipeIO
package import PipeTime

/// A batch that was handed out and is not settled.
package struct ClaimView {
  package let claim: BatchID
  package fileprivate(set) var items: Int
  /// The highest attempt number of its items.
  package fileprivate(set) var attempt: Int
  /// The priority of its first item.
  package fileprivate(set) var priority: Lane
  /// When it was claimed.
  package let since: Instant
  /// nil if the clock holds it, or if the system does not name the holder.
  package fileprivate(set) var holder: String?
  /// When the clock stops holding it; nil if a process holds it.
  package let until: Instant?
  fileprivate let slot: Int?

  package init(
    claim: BatchID, items: Int, attempt: Int, priority: Lane, holder: String?, until: Instant?
  ) {
    self.claim = claim
    self.items = items
    self.attempt = attempt
    self.priority = priority
    self.since = claim.claimed
    self.holder = holder
    self.until = until
    slot = nil
  }
}

extension Queue {
  /// The claims, oldest first, and how many there are beyond `most`. Reads names, and looks up the
  /// holders of the returned claims only.
  package func claims(
    upTo most: Int, at now: Instant
  ) throws(Fault) -> (claims: [ClaimView], more: Int) {
    var found: [BatchID: ClaimView] = [:]
    for name in try reportedNames() where name.isHeld(at: now) {
      guard let view = ClaimView(name) else { continue }
      found[view.claim, default: view.empty].add(view)
    }
    let all = found.values.sorted { ($0.since, $0.claim) < ($1.since, $1.claim) }
    var claims = Array(all.prefix(most))
    let owners = try part("owners")
    var holders: [Int: String?] = [:]
    for index in claims.indices {
      guard let slot = claims[index].slot else { continue }
      let holder = holders[slot] ?? lockHolder(owners, Owner.name(slot))
      holders[slot] = holder
      claims[index].holder = holder
    }
    return (claims, all.count - claims.count)
  }
}

extension ClaimView {
  fileprivate init?(_ name: NowName) {
    guard let batch = name.batch, let attempt = name.attempt else { return nil }
    claim = batch.handedOut
    items = name.range.count
    self.attempt = attempt
    priority = name.range.lane
    until = name.due?.at
    since = name.due.map { $0.at - $0.span } ?? batch.claimed
    slot = name.owner
  }

  fileprivate var empty: ClaimView {
    var view = self
    view.items = 0
    return view
  }

  fileprivate mutating func add(_ other: ClaimView) {
    items += other.items
    attempt = max(attempt, other.attempt)
    priority = min(priority, other.priority)
  }
}

/// The content stored under an id.
package struct EntryContent: Equatable {
  package let priority: Lane
  package let isRecord: Bool
  /// The record's value, or the compact list of ids.
  package let data: [UInt8]

  package init(priority: Lane, isRecord: Bool, data: [UInt8]) {
    self.priority = priority
    self.isRecord = isRecord
    self.data = data
  }
}

extension Queue {
  /// nil if no entry before the lane ends has this id.
  package func content(of id: EntryID) throws(Fault) -> EntryContent? {
    guard let found = try Lookup(self).find(id, try ends()),
      case .line(let line) = try found.reader.line(
        at: found.offset, limit: try found.reader.file.size())
    else { return nil }
    return EntryContent(priority: found.lane, isRecord: line.isRecord, data: Array(line.data))
  }

  /// Throws if nothing can be stored although there is room: the file system is read-only, or this
  /// process may not write to the queue.
  package func requireWritable() throws(Fault) {
    try root.requireWritable("end")
    for lane in Lane.allCases { try root.requireWritable("segments/" + lane.name) }
  }

  /// Throws the reason why entries cannot be stored now: the queue is full, or gone.
  package func requireRoom() throws(Fault) {
    let ends = try ends()
    var writeBatch = WriteBatch()
    [UInt8(0x31)].withUnsafeBytes { data in
      writeBatch.append(NewEntry(id: .none, priority: .medium), data: data)
    }
    try requireRoom(for: writeBatch, behind: ends)
  }
}

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
