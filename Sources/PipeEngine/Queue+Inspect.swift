#if Postgres
  package import PipeIO
  internal import PipePostgres
  package import PipeQueue
  package import PipeTime

  extension Queue {
    package func status(_ id: EntryID) throws(Fault) -> EntryStatus? {
      switch self {
      case .directory(let queue): try queue.status(id)
      case .postgres(let queue): try queue.status(id)
      }
    }

    package func census(at now: Instant) throws(Fault) -> [LaneCensus] {
      switch self {
      case .directory(let queue): try queue.census(at: now)
      case .postgres(let queue): try queue.census()
      }
    }

    package func total(_ counter: Counter) throws(Fault) -> Int {
      switch self {
      case .directory(let queue): try queue.total(counter)
      case .postgres(let queue): try queue.total(counter)
      }
    }

    package func count(_ counter: Counter, _ amount: Int) throws(Fault) {
      switch self {
      case .directory(let queue): try queue.count(counter, amount)
      case .postgres(let queue): try queue.count(counter, amount)
      }
    }

    package func deadLetters(_ body: (DeadLetter) throws(Fault) -> Bool) throws(Fault) {
      switch self {
      case .directory(let queue): try queue.deadLetters(body)
      case .postgres(let queue): try queue.deadLetters(body)
      }
    }

    package func deadLetters(of id: EntryID) throws(Fault) -> [DeadLetter]? {
      switch self {
      case .directory(let queue): try queue.deadLetters(of: id)
      case .postgres(let queue): try queue.deadLetters(of: id)
      }
    }

    package func revive(_ id: EntryID) throws(Fault) -> Int {
      switch self {
      case .directory(let queue): try queue.revive(id)
      case .postgres(let queue): try queue.revive(id)
      }
    }

    package func drop(_ id: EntryID) throws(Fault) -> Int {
      switch self {
      case .directory(let queue): try queue.drop(id)
      case .postgres(let queue): try queue.drop(id)
      }
    }

    package func pause(until: Instant?, reason: String) throws(Fault) {
      switch self {
      case .directory(let queue): try queue.pause(until: until, reason: reason)
      case .postgres(let queue): try queue.pause(until: until, reason: reason)
      }
    }

    package func resume() throws(Fault) -> Bool {
      switch self {
      case .directory(let queue): try queue.resume()
      case .postgres(let queue): try queue.resume()
      }
    }

    package func pauseNow() throws(Fault) -> Pause? {
      switch self {
      case .directory(let queue): try queue.pauseNow()
      case .postgres(let queue): try queue.pauseNow()
      }
    }
  }

  // Some of these PostgreSQL does not have yet.
  extension Queue {
    package func reviveAll(_ body: (DeadLetterResult) throws(Fault) -> Void) throws(Fault) {
      switch self {
      case .directory(let queue): try queue.reviveAll(body)
      case .postgres(let queue): try queue.treatAll(body, queue.revive)
      }
    }

    package func dropAll(_ body: (DeadLetterResult) throws(Fault) -> Void) throws(Fault) {
      switch self {
      case .directory(let queue): try queue.dropAll(body)
      case .postgres(let queue): try queue.treatAll(body, queue.drop)
      }
    }

    package func dropLost(_ body: (LostItems) throws(Fault) -> Void) throws(Fault) {
      try directory("drop --lost").dropLost(body)
    }

    package func lostItems() throws(Fault) -> Int {
      if case .directory(let queue) = self { try queue.lostItems() } else { 0 }
    }

    package func list(
      _ states: [ListedEntry.State], at now: Instant,
      lost: (LostItems) throws(Fault) -> Bool = { _ in true },
      _ body: (ListedEntry) throws(Fault) -> Bool
    ) throws(Fault) {
      switch self {
      case .directory(let queue): try queue.list(states, at: now, lost: lost, body)
      case .postgres(let queue): try queue.list(states, body)
      }
    }

    package func explain(
      _ id: EntryID, at now: Instant = Clock.now()
    ) throws(Fault) -> Explanation? {
      switch self {
      case .directory(let queue): try queue.explain(id, at: now)
      case .postgres(let queue): try queue.explain(id)
      }
    }

    package func numbers(from time: Instant) throws(Fault) -> [Int] {
      switch self {
      case .directory(let queue): try queue.numbers(from: time)
      case .postgres(let queue): try queue.numbers(from: time)
      }
    }

    package func arrivals(since: Instant) throws(Fault) -> Arrivals {
      switch self {
      case .directory(let queue): try queue.arrivals(since: since)
      case .postgres(let queue): try queue.arrivals(since: since)
      }
    }

    package func recordings(
      since: Instant?, at now: Instant = Clock.now(), isNeeded: Bool = false,
      _ body: (Recording) -> Void
    ) throws(Fault) {
      switch self {
      case .directory(let queue):
        try queue.recordings(since: since, at: now, isNeeded: isNeeded, body)
      case .postgres(let queue): try queue.recordings(since: since, at: now, body)
      }
    }

    package func recentTags() throws(Fault) -> [String] {
      switch self {
      case .directory(let queue): try queue.recentTags()
      case .postgres(let queue): try queue.recentTags()
      }
    }

    package func recent(
      _ choice: RecentChoice, prefix: String, most: Int, at now: Instant
    ) throws(Fault) -> [RecentEntry] {
      switch self {
      case .directory(let queue):
        try queue.recent(choice, prefix: prefix, most: most, at: now)
      case .postgres(let queue): try queue.recent(choice, prefix: prefix, most: most)
      }
    }

    package func claims(
      upTo most: Int, at now: Instant
    ) throws(Fault) -> (claims: [ClaimView], more: Int) {
      switch self {
      case .directory(let queue): return try queue.claims(upTo: most, at: now)
      case .postgres(let queue):
        let all = try queue.claims()
        return (Array(all.prefix(most)), max(0, all.count - most))
      }
    }

    package func content(of id: EntryID) throws(Fault) -> EntryContent? {
      switch self {
      case .directory(let queue): try queue.content(of: id)
      case .postgres(let queue): try queue.content(of: id)
      }
    }

    package func running(at now: Instant, holdersOf most: Int) throws(Fault) -> [RunningBatch] {
      switch self {
      case .directory(let queue): try queue.running(at: now, holdersOf: most)
      case .postgres(let queue):
        try queue.claims().map { claim in
          RunningBatch(
            token: claim.claim.text, items: claim.items, attempt: claim.attempt, since: claim.since,
            holder: claim.holder)
        }
      }
    }

    package func check(
      hasRead: (Int) -> Void, _ found: (Finding) -> Void
    ) throws(Fault) {
      try directory("fsck").check(hasRead: hasRead, found)
    }

    package func repair(_ repaired: (Finding) -> Void) throws(Fault) {
      try directory("fsck").repair(repaired)
    }

    package func prune() throws(Fault) -> Pruned {
      switch self {
      case .directory(let queue): try queue.prune()
      case .postgres(let queue): try queue.prune()
      }
    }

    package func outputs(
      of id: EntryID
    ) throws(Fault) -> [(items: ClosedRange<Int>, output: AttemptOutput)]? {
      switch self {
      case .directory(let queue): try queue.outputs(of: id)
      case .postgres(let queue): try queue.outputs(of: id)
      }
    }

    package func waiting(
      of id: EntryID, at now: Instant = Clock.now()
    ) throws(Fault) -> (waiting: [WaitingItems], claims: Set<BatchID>, others: Int)? {
      switch self {
      case .directory(let queue): try queue.waiting(of: id, at: now)
      case .postgres(let queue): try queue.waiting(of: id)
      }
    }

    package func wholeEntry(
      _ id: EntryID, _ items: [WaitingItems]
    ) throws(Fault) -> EntryCopy? { try directory("change").wholeEntry(id, items) }

    package func isMoving(_ items: [WaitingItems], reason: String) throws(Fault) -> Bool {
      try directory("change").isMoving(items, reason: reason)
    }

    package func finishMove(_ id: EntryID) throws(Fault) {
      // In PostgreSQL, a move is one transaction.
      if case .directory(let queue) = self { try queue.finishMove(id) }
    }

    package func keepingLetters(_ body: () throws(Fault) -> Void) throws(Fault) {
      try directory("change").keepingLetters(body)
    }

    package func dropLetters(of items: [WaitingItems]) throws(Fault) -> Int {
      try directory("purge").dropLetters(of: items)
    }
  }
#endif
