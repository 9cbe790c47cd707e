#if Postgres
  package import PipeIO
  package import PipePostgres
  package import PipeQueue
  package import PipeTime

  /// Claims items and settles them.
  package enum Claimer {
    case directory(PipeQueue.Claimer)
    case postgres(PostgresClaimer)

    package init(_ queue: Queue, hidesOwnFailures: Bool = true) {
      switch queue {
      case .directory(let queue):
        self = .directory(PipeQueue.Claimer(queue, hidesOwnFailures: hidesOwnFailures))
      case .postgres(let queue):
        self = .postgres(PostgresClaimer(queue, hidesOwnFailures: hidesOwnFailures))
      }
    }

    package typealias Due = PipeQueue.Claimer.Due

    func directory(_ what: StaticString) throws(Fault) -> PipeQueue.Claimer {
      guard case .directory(let claimer) = self else {
        throw Fault(.usage, "\(what): not available yet for a queue in PostgreSQL")
      }
      return claimer
    }

    package func claim(
      size: Int, bytes: Int = .max, every: TimeSpan = .zero
    ) throws(Fault) -> Claim? {
      switch self {
      case .directory(let claimer): try claimer.claim(size: size, bytes: bytes, every: every)
      case .postgres(let claimer): try claimer.claim(size: size, bytes: bytes, every: every)
      }
    }

    /// In PostgreSQL one connection holds all claims.
    package enum Owner {
      case directory(PipeQueue.Owner)
      case postgres
    }

    package func change(to other: Owner?) throws(Fault) -> Owner? {
      switch (self, other) {
      case (.directory(let claimer), .directory(let owner)):
        try claimer.change(to: owner).map(Owner.directory)
      case (.directory(let claimer), _): try claimer.change(to: nil).map(Owner.directory)
      case (.postgres, _): .postgres
      }
    }

    package func done(_ claim: consuming Claim) throws(Fault) {
      switch self {
      case .directory(let claimer): try claimer.done(claim)
      case .postgres(let claimer): try claimer.done(claim)
      }
    }

    package func retry(_ claim: consuming Claim, _ failure: Failure) throws(Fault) -> Disposal {
      switch self {
      case .directory(let claimer): try claimer.retry(claim, failure)
      case .postgres(let claimer): try claimer.retry(claim, failure)
      }
    }

    package func bury(_ claim: consuming Claim, _ failure: Failure) throws(Fault) -> Disposal {
      switch self {
      case .directory(let claimer): try claimer.bury(claim, failure)
      case .postgres(let claimer): try claimer.bury(claim, failure)
      }
    }

    package func giveBack(_ claim: consuming Claim) throws(Fault) {
      switch self {
      case .directory(let claimer): try claimer.giveBack(claim)
      case .postgres(let claimer): try claimer.giveBack(claim)
      }
    }

    package func acknowledge(_ claim: consuming Claim, first count: Int) throws(Fault) {
      switch self {
      case .directory(let claimer): try claimer.acknowledge(claim, first: count)
      case .postgres(let claimer): try claimer.acknowledge(claim, first: count)
      }
    }

    package func lost(_ batch: BatchID) -> Fault {
      switch self {
      case .directory(let claimer): claimer.lost(batch)
      case .postgres(let claimer): claimer.lost(batch)
      }
    }

    package func settle(
      _ claim: consuming Claim, wait: TimeSpan? = nil, takingOver: Bool = false,
      _ outcome: (Int) -> Outcome?
    ) throws(Fault) -> Claim? {
      switch self {
      case .directory(let claimer):
        try claimer.settle(claim, wait: wait, takingOver: takingOver, outcome)
      case .postgres(let claimer): try claimer.settle(claim, wait: wait, outcome)
      }
    }

    package func hold(_ claim: consuming Claim, for span: TimeSpan) throws(Fault) -> Claim {
      switch self {
      case .directory(let claimer): try claimer.hold(claim, for: span)
      case .postgres(let claimer): try claimer.hold(claim, for: span)
      }
    }

    package enum Holdings {
      case directory(PipeQueue.Claimer.Holdings)
      case postgres
    }

    package func holdings(_ batches: Set<BatchID>, own: Bool = false) throws(Fault) -> Holdings {
      switch self {
      case .directory(let claimer): .directory(try claimer.holdings(batches, own: own))
      case .postgres: .postgres
      }
    }

    package func adopt(_ batch: BatchID, _ holdings: Holdings) throws(Fault) -> Claim? {
      switch (self, holdings) {
      case (.directory(let claimer), .directory(let holdings)): try claimer.adopt(batch, holdings)
      case (.postgres(let claimer), _): try claimer.adopt(batch)
      case (.directory, .postgres): nil
      }
    }

    package func heldByThisRun() throws(Fault) -> Set<BatchID> {
      switch self {
      case .directory(let claimer): try claimer.heldByThisRun()
      case .postgres(let claimer): try claimer.heldByThisRun()
      }
    }

    package var tag: String? {
      get {
        switch self {
        case .directory(let claimer): claimer.tag
        case .postgres(let claimer): claimer.tag
        }
      }
      nonmutating set {
        switch self {
        case .directory(let claimer): claimer.tag = newValue
        case .postgres(let claimer): claimer.tag = newValue
        }
      }
    }

    package var lanes: [Lane] {
      get {
        switch self {
        case .directory(let claimer): claimer.lanes
        case .postgres(let claimer): claimer.lanes
        }
      }
      nonmutating set {
        switch self {
        case .directory(let claimer): claimer.lanes = newValue
        case .postgres(let claimer): claimer.lanes = newValue
        }
      }
    }

    package var lockDescriptor: Int32? {
      switch self {
      case .directory(let claimer): claimer.lockDescriptor
      case .postgres(let claimer): claimer.lockDescriptor
      }
    }

    package var nextPoll: SteadyInstant? {
      switch self {
      case .directory(let claimer): claimer.nextPoll
      case .postgres(let claimer): claimer.nextPoll
      }
    }

    package var isPaced: Bool {
      switch self {
      case .directory(let claimer): claimer.isPaced
      case .postgres(let claimer): claimer.isPaced
      }
    }

    package var pause: Pause? {
      switch self {
      case .directory(let claimer): claimer.pause
      case .postgres(let claimer): claimer.pause
      }
    }

    package var lostItems: Int {
      if case .directory(let claimer) = self { claimer.lostItems } else { 0 }
    }

    package var unburied: Int {
      if case .directory(let claimer) = self { claimer.unburied } else { 0 }
    }

    package var unreadable: Fault? {
      if case .directory(let claimer) = self { claimer.unreadable } else { nil }
    }

    package func isOfThisRun(_ batch: BatchID) -> Bool {
      switch self {
      case .directory(let claimer): claimer.isOfThisRun(batch)
      case .postgres(let claimer): claimer.isOfThisRun(batch)
      }
    }

    /// The settlements on their way to disk.
    package struct Sync {
      fileprivate let claimer: Claimer

      package var deadline: SteadyInstant? {
        switch claimer {
        case .directory(let claimer): claimer.sync.deadline
        case .postgres(let claimer): claimer.flushDeadline
        }
      }

      package func flush() throws(Fault) {
        switch claimer {
        case .directory(let claimer): try claimer.sync.flush()
        case .postgres(let claimer): try claimer.flush()
        }
      }

      package func flushIfDue() throws(Fault) {
        switch claimer {
        case .directory(let claimer): try claimer.sync.flushIfDue()
        case .postgres(let claimer): try claimer.flushIfDue()
        }
      }
    }

    package var sync: Sync { Sync(claimer: self) }

    /// When to ask the server whether it still hears this process.
    package var checkDeadline: SteadyInstant? {
      if case .postgres(let claimer) = self { claimer.checkDeadline } else { nil }
    }

    package func checkIfDue() throws(Fault) {
      if case .postgres(let claimer) = self { try claimer.checkIfDue() }
    }

    /// The connection that holds claims; its end must be noticed at once.
    package var connection: Int32? {
      if case .postgres(let claimer) = self { claimer.connection } else { nil }
    }

    package func checkConnection() throws(Fault) {
      if case .postgres(let claimer) = self { try claimer.checkConnection() }
    }

    /// Whether another process may soon get the claims of this one, whose commands must end.
    package var isFenced: Bool {
      if case .postgres(let claimer) = self { claimer.isFenced } else { false }
    }
  }

  extension Claimer {
    package func keep(_ value: [UInt8], of claim: borrowing Claim, items: Set<Int>? = nil) {
      switch self {
      case .directory(let claimer): claimer.keep(value, of: claim, items: items)
      case .postgres(let claimer): claimer.keep(value, of: claim, items: items)
      }
    }

    package func keep(_ output: AttemptOutput, of claim: borrowing Claim, items: Set<Int>? = nil) {
      switch self {
      case .directory(let claimer): claimer.keep(output, of: claim, items: items)
      case .postgres(let claimer): claimer.keep(output, of: claim, items: items)
      }
    }

    package func rehearse(
      size: Int, every: TimeSpan, _ body: (TimeSpan, borrowing Claim) throws(Fault) -> Bool
    ) throws(Fault) {
      switch self {
      case .directory(let claimer): try claimer.rehearse(size: size, every: every, body)
      case .postgres(let claimer): try claimer.rehearse(size: size, every: every, body)
      }
    }

    package func forEachEntry(
      of claim: borrowing Claim, _ visit: (StoredEntry, Range<Int>) throws(Fault) -> Void
    ) throws(Fault) {
      switch self {
      case .directory(let claimer): try claimer.forEachEntry(of: claim, visit)
      case .postgres(let claimer): try claimer.forEachEntry(of: claim, visit)
      }
    }

    package func take(_ wanted: [WaitingItems]) throws(Fault) -> Claim? {
      try directory("cancel").take(wanted)
    }

    package func cancel(_ claim: consuming Claim, reason: String) throws(Fault) {
      try directory("cancel").cancel(claim, reason: reason)
    }

    /// In PostgreSQL, no items are left.
    package func cancelUntouched(
      _ items: [WaitingItems], reason: String, isDropped: Bool
    ) throws(Fault) -> (cancelled: Int, rest: [WaitingItems]) {
      switch self {
      case .directory(let claimer):
        try claimer.cancelUntouched(items, reason: reason, isDropped: isDropped)
      case .postgres(let claimer):
        (try claimer.cancel(items, reason: reason, isDropped: isDropped), [])
      }
    }

    package func reschedule(_ items: [WaitingItems], to due: Due) throws(Fault) -> Int {
      switch self {
      case .directory(let claimer): try claimer.reschedule(items, to: due)
      case .postgres(let claimer): try claimer.reschedule(items, to: due)
      }
    }

    package func store(
      _ copies: [(items: [WaitingItems], copy: EntryCopy)], in lane: Lane
    ) throws(Fault) { try directory("change").store(copies, in: lane) }

    /// Moves entries in one transaction, and returns those that are in the lane now; nil: this engine needs
    /// several steps.
    package func moveAtOnce(
      _ entries: [[WaitingItems]], to lane: Lane
    ) throws(Fault) -> Set<EntryID>? {
      guard case .postgres(let claimer) = self else { return nil }
      return try claimer.move(entries, to: lane)
    }
  }
#else
  package import PipeIO
  package import PipeQueue
  package import PipeTime

  extension Claimer {
    package typealias Owner = PipeQueue.Owner

    // A lock of this machine needs no check.
    package var checkDeadline: SteadyInstant? { nil }
    package func checkIfDue() throws(Fault) {}
    package var connection: Int32? { nil }
    package func checkConnection() throws(Fault) {}
    package var isFenced: Bool { false }

    package func moveAtOnce(_: [[WaitingItems]], to _: Lane) throws(Fault) -> Set<EntryID>? { nil }
  }
#endif
