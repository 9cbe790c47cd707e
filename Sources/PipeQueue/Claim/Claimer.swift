internal import CPipeIO
internal import Glibc
package import PipeIO
package import PipeTime

/// Claims items, in order, and settles them.
package final class Claimer {
  let queue: Queue
  /// Its ids identify the items that failed in this run.
  private var batches = BatchIDGenerator(at: Clock.now())
  package internal(set) var owner: Owner?
  private(set) lazy var pace = PaceFile(queue)
  private var readers = PerLane<SegmentReader?>.repeating(nil)
  private var lastReaping: SteadyInstant?
  /// Whether this run leaves the items it failed to other runs: a run that ends once nothing is
  /// ready would otherwise never end.
  private let hidesOwnFailures: Bool
  /// The first fault that kept items from being read. The items stay ready; other lanes and
  /// segments continue.
  package private(set) var unreadable: Fault?
  var hasLookedForUnfiled = false
  /// Claims of dead owners that it has taken over; left from before if a fault interrupted their reaping.
  var reaping: [NowName] = []
  private var missingSegments: Set<String> = []
  /// Items whose turn came but that no segment holds: damaged, or removed by hand.
  package private(set) var lostItems = 0
  /// Items that should have become dead letters but found no room on the disk: they are retried.
  package internal(set) var unburied = 0
  package let sync: GroupCommit
  let recorder: SettleLog
  private(set) lazy var outputs = OutputWriter(queue)
  /// The word that identifies this claimer's settlements in the statistics; nil for none.
  package var tag: String?
  /// When to repeat the last unsuccessful claim attempt even if nothing else happens, by
  /// `Clock.steady`; nil if time alone changes nothing.
  package internal(set) var nextPoll: SteadyInstant?
  /// Whether that attempt found ready items that wait only for the pace.
  package internal(set) var isPaced = false
  /// The pause that keeps this process from claiming; nil if none does.
  package internal(set) var pause: Pause?
  /// Lanes that claims take from.
  package var lanes = Lane.allCases
  /// The clocks and the source of random numbers; tests pass in their own.
  var wall: () -> Instant = Clock.now
  var steady: () -> SteadyInstant = Clock.steady
  var random: () -> UInt64 = { UInt64.random(in: 0 ... .max) }
  /// How many names are too many for now/, and how many move at a time; tests set less, to see them
  /// move.
  var limits = NowLimits()
  var passedOver = PassedOver()

  package init(_ queue: Queue, hidesOwnFailures: Bool = true) {
    self.queue = queue
    self.hidesOwnFailures = hidesOwnFailures
    sync = GroupCommit(queue)
    recorder = SettleLog(queue)
    queue.drainsOnFullDisk()
  }

  func nextBatch() -> BatchID { batches.next(at: wall()) }

  package func isOfThisRun(_ batch: BatchID) -> Bool { batches.isOfThisRun(batch) }

  func isHidden(_ name: NowName) -> Bool {
    guard hidesOwnFailures, let batch = name.batch else { return false }
    return isOfThisRun(batch)
  }

  /// The descriptor whose lock holds the claims; a worker that inherits it holds them too.
  package var lockDescriptor: Int32? { owner?.file.fd }

  /// Claims the next items: at most `size`, and none after their data reach `bytes`; at the
  /// earliest `every` after the last batch that any process claimed. Returns nil if
  /// nothing is ready; `nextPoll` then says when to try again.
  package func claim(
    size: Int, bytes: Int = .max, every: TimeSpan = .zero
  ) throws(Fault) -> Claim? {
    let request = Request(size: size, bytes: bytes, every: every)
    let now = steady()
    if owner == nil {
      try begin()
      lastReaping = now
    }
    // A busy consumer looks for dead owners once a second, an idle one at each attempt.
    if now - (lastReaping ?? .boot) > .seconds(1) {
      lastReaping = now
      try reap()
    }
    if let claim = try claimReady(request) { return claim }
    if isPaced || pause != nil { return nil }
    queue.renewReserve()
    let moved = try queue.advanceEnds(try queue.ends())
    let reaped = try reap()
    let marked = try ensureHint()
    let found = try returnUnfiled()
    return moved || reaped || marked || found ? try claimReady(request) : nil
  }

  struct Request {
    let size: Int
    let bytes: Int
    let every: TimeSpan
  }

  /// Takes an owner slot, which holds what is claimed from here on.
  func begin() throws(Fault) {
    guard owner == nil else { return }
    Reserve(queue.root).take()
    owner = try Owner.take(queue)
    // After a crash the end of a higher lane may be behind the lines that are on disk.
    _ = try queue.advanceEnds(try queue.makeSound())
    // From now on, claims that the slot's previous owner left would count as held.
    try reap()
  }

  /// Makes another slot hold what is claimed or settled from here on: `other`, or a new slot if it
  /// is nil. If no new slot is available, the current one stays. Returns the slot in use.
  package func change(to other: Owner?) throws(Fault) -> Owner? {
    if let other {
      owner = other
    } else if owner == nil {
      try begin()
      lastReaping = steady()
    } else {
      do throws(Fault) {
        owner = try Owner.take(queue)
        // The next claim reaps, as `begin` does.
        lastReaping = nil
      } catch {
        guard error.kind == .tryLater else { throw error }
      }
    }
    return owner
  }

  private func claimReady(_ request: Request) throws(Fault) -> Claim? {
    while true {
      switch try tryClaim(request) {
      case .claim(let claim, let isCrowded):
        if request.every > .zero { pace.flush() }
        if isCrowded { try park() }
        return claim
      case .nothing: return nil
      case .paused: return nil
      case .crowded: try park()
      case .more: continue
      case .restore: try restore()
      case .ahead: try queue.raiseEnds()
      case .overdue(let names): for name in names { try bury(name, Claimer.overdue) }
      }
    }
  }

  func reader(_ lane: Lane, _ segment: Int) throws(Fault) -> SegmentReader? {
    if let held = readers[lane], held.segment == segment { return held }
    guard let file = try Segment.open(queue, lane, segment) else { return nil }
    let reader = SegmentReader(file, lane, segment)
    readers[lane] = reader
    return reader
  }

  func lose(_ count: Int) { lostItems += count }

  /// Keeps the first reason why items could not be read: it is thrown after all else is done.
  func keep(_ fault: Fault) {
    guard unreadable == nil else { return }
    unreadable = fault
    reportIfFollowing(fault)
  }

  // A run that ends reports it at its end.
  private func reportIfFollowing(_ fault: Fault) {
    if !hidesOwnFailures { queue.note(fault.text) }
  }

  func noteMissing(_ lane: Lane, _ segment: Int) {
    let fault = missing(lane, segment)
    if unreadable == nil { unreadable = fault }
    if missingSegments.insert(fault.text).inserted { reportIfFollowing(fault) }
  }
}

/// Flushes renames in now/ together: one flush for all of the last 50 ms.
package final class GroupCommit {
  private let queue: Queue
  private var first: SteadyInstant?
  /// Files that are to be on disk before the renames.
  private var files: [Descriptor] = []

  /// The longest that a rename waits for its flush.
  private static let patience: TimeSpan = .milliseconds(50)

  init(_ queue: Queue) {
    self.queue = queue
  }

  func note() {
    if first == nil { first = Clock.steady() }
  }

  func note(_ file: Descriptor) {
    if !files.contains(where: { $0 === file }) { files.append(file) }
  }

  /// When the next flush is due, by `Clock.steady`; nil if no rename waits for one.
  package var deadline: SteadyInstant? { first.map { $0 + GroupCommit.patience } }

  package func flushIfDue() throws(Fault) {
    if let deadline, Clock.steady() >= deadline { try flush() }
  }

  package func flush() throws(Fault) {
    guard first != nil else { return }
    first = nil
    for file in files { try file.flushData() }
    files.removeAll()
    try queue.now().flush()
  }
}
