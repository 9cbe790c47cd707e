package import PipeIO

/// A batch that is handed out and not settled.
package struct ClaimView {
  package let claim: EntryID
  package fileprivate(set) var items: Int
  /// The highest of its items'.
  package fileprivate(set) var attempt: Int
  /// The first of its items'.
  package fileprivate(set) var priority: Priority
  /// Microseconds since the epoch.
  package let since: Int64
  /// nil where the clock holds it, or where the system does not say.
  package fileprivate(set) var holder: String?
  /// Until when the clock holds it; nil where a process does.
  package let until: Int64?
  fileprivate let slot: Int?
}

extension Queue {
  /// What is handed out, the longest of it first, and how many more than `most` there are. Reads names, and
  /// of those that are returned who holds them.
  package func claims(
    upTo most: Int, at now: Int64
  ) throws(Fault) -> (claims: [ClaimView], more: Int) {
    var found: [EntryID: ClaimView] = [:]
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
    claim = batch
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
