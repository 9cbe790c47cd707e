internal import CPipeIO
internal import Glibc
package import PipeIO

/// The way out: claims items, in order, and settles them.
package final class Claimer {
  let queue: Queue
  private var mint = ULIDGenerator()
  /// In the id of each of its batches: what this run failed is not offered to it again.
  private let run: Run
  private var serial: UInt64 = 0
  package internal(set) var owner: Owner?
  private(set) lazy var pace = PaceFile(queue)
  private var readers = PerLane<SegmentReader?>.repeating(nil)
  private var lastReaping: Int64?
  /// Whether what failed in this run is left to others: a run that ends would never end otherwise.
  private let hidesOwnFailures: Bool
  /// The first fault that kept items from being read. They stay ready; other lanes and segments go on.
  package private(set) var unreadable: Fault?
  var hasLookedForUnfiled = false
  private var missingSegments: Set<String> = []
  /// Items that were met in the line but not in any segment: damaged, or removed by hand.
  package private(set) var lostItems = 0
  /// Items that should have become dead letters and for which the disk had no room: they are tried again.
  package internal(set) var unburied = 0
  package let sync: GroupCommit
  let recorder: SettleLog
  /// One word by which the statistics tell apart what this settles; nil for none.
  package var tag: String?
  /// When the last look that found nothing is worth repeating for no other reason than the time, by
  /// `Clock.steady`; nil if time alone changes nothing.
  package internal(set) var nextPoll: Int64?
  /// Whether that look found something that is ready and only waits for its turn.
  package internal(set) var isPaced = false
  /// The time; tests pass in their own.
  var wall: () -> Int64 = Clock.now
  var steady: () -> Int64 = Clock.steady
  var random: () -> UInt64 = { UInt64.random(in: 0 ... .max) }
  /// What is too much for now/, and how much is moved; tests have less, to see it move.
  var limits = NowLimits()

  package init(_ queue: Queue, hidesOwnFailures: Bool = true) {
    self.queue = queue
    self.hidesOwnFailures = hidesOwnFailures
    run = Run(random: mint.id(at: Clock.now()))
    sync = GroupCommit(queue)
    recorder = SettleLog(queue)
    queue.drainsOnFullDisk()
  }

  func nextBatch() -> EntryID {
    serial += 1
    return run.batch(serial, at: wall())
  }

  package func isOfThisRun(_ batch: EntryID) -> Bool { Run(of: batch) == run }

  func isHidden(_ name: NowName) -> Bool {
    guard hidesOwnFailures, let batch = name.batch else { return false }
    return isOfThisRun(batch)
  }

  /// The descriptor whose lock holds the claims; a worker that inherits it holds them too.
  package var lockDescriptor: Int32? { owner?.file.number }

  /// Claims the next items, at most `size` and, but for the first, at most `bytes` of data; `every`
  /// microseconds after the last batch that anybody claimed, at the soonest. nil when nothing is ready;
  /// `nextPoll` then says until when.
  package func claim(
    size: Int, bytes: Int = .max, every: Int64 = 0
  ) throws(Fault) -> Claim? {
    let request = Request(size: size, bytes: bytes, every: every)
    let now = steady()
    if owner == nil {
      try begin()
      lastReaping = now
    }
    // Busy consumers look for dead ones once a second, idle ones each time.
    if now - (lastReaping ?? 0) > 1_000_000 {
      lastReaping = now
      try reap()
    }
    if let claim = try claimReady(request) { return claim }
    if isPaced { return nil }
    queue.renewReserve()
    let moved = try queue.advanceEnds(try queue.ends())
    let reaped = try reap()
    let marked = try ensureMark()
    let found = try returnUnfiled()
    return moved || reaped || marked || found ? try claimReady(request) : nil
  }

  struct Request {
    let size: Int
    let bytes: Int
    let every: Int64
  }

  /// Takes a slot for what is going to be held.
  func begin() throws(Fault) {
    guard owner == nil else { return }
    Reserve(queue.root).take()
    owner = try Owner.take(queue)
    try queue.makeSound()
    // A crash may have left an end behind what is on disk, in a lane that comes before others.
    _ = try queue.advanceEnds(try queue.ends())
    // What the last holder of the slot left seems to be held from now on.
    try reap()
  }

  /// Lets another slot hold what is claimed from here on, or settles what it holds: `other`, or a new one.
  /// Where none is to be had it stays with the last one.
  package func change(to other: Owner?) throws(Fault) -> Owner? {
    if let other {
      owner = other
    } else if owner == nil {
      try begin()
      lastReaping = steady()
    } else {
      do throws(Fault) {
        owner = try Owner.take(queue)
        // As in `begin`, by the next claim.
        lastReaping = nil
      } catch {
        guard error.kind == .tryLater else { throw error }
      }
    }
    return owner
  }

  private func claimReady(_ request: Request) throws(Fault) -> Claim? {
    while true {
      switch try look(request) {
      case .claim(let claim, let isCrowded):
        if request.every > 0 { pace.flush() }
        if isCrowded { try park() }
        return claim
      case .nothing: return nil
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

  /// Why some items could not be read: thrown when all else is done.
  func keep(_ fault: Fault) {
    guard unreadable == nil else { return }
    unreadable = fault
    reportIfFollowing(fault)
  }

  // A run that ends says it then.
  private func reportIfFollowing(_ fault: Fault) {
    if !hidesOwnFailures { queue.note(fault.text) }
  }

  func noteMissing(_ lane: Lane, _ segment: Int) {
    let fault = missing(lane, segment)
    if unreadable == nil { unreadable = fault }
    if missingSegments.insert(fault.text).inserted { reportIfFollowing(fault) }
  }
}
