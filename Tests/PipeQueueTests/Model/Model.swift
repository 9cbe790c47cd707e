@testable import PipeQueue
import PipeTime

/// The required behaviour of a queue, from product.md: all items in memory, each with its state,
/// and without names, files or locks. Slow and short; holders and the time come from outside.
struct Model {
  enum State: String {
    /// Once it is due.
    case ready
    case claimed
    /// Handed out and held by the clock.
    case held
    case done, dead, dropped
  }

  struct Item {
    let entry: EntryID
    /// Counts from 1 within its entry.
    let index: Int
    let data: String
    var state = State.ready
    /// Number of attempts begun so far.
    var attempts = 0
    var due: Instant = 0
    /// How long it was meant to wait; 0 if until a time of day.
    var span: TimeSpan = 0
    /// The batch in which it was handed out last; nil if it was never tried.
    var batch: BatchID?
    var history: [Note] = []
    var stderr: [UInt8] = []
    var wasRevived = false
  }

  /// An attempt that did not end well.
  struct Note: Equatable {
    let number: Int
    let reason: String
    let exitStatus: Int32?
    let signal: Int32?
    let ended: Instant
  }

  /// An item is identified by its lane and its number there.
  struct Key: Hashable, Comparable, CustomStringConvertible {
    let lane: Lane
    let number: Int

    var description: String { "\(lane.name).\(number)" }

    static func < (one: Key, other: Key) -> Bool {
      one.lane != other.lane ? one.lane < other.lane : one.number < other.number
    }
  }

  struct Entry {
    let id: EntryID
    let lane: Lane
    let numbers: Range<Int>
    /// 0 for a record.
    let slice: Int

    var keys: [Key] { numbers.map { Key(lane: lane, number: $0) } }
  }

  struct Handed {
    var keys: [Key]
    /// The consumer that claimed it.
    let maker: Int
    /// Whether the clock holds it.
    var isHeld = false
  }

  /// A process that claims.
  struct Consumer {
    let number: Int
    let hidesOwnFailures: Bool
    var lastReaping: SteadyInstant?
  }

  let retries: Int
  let backoff: Backoff
  private(set) var entries: [Entry] = []
  var claims: [BatchID: Handed] = [:]
  /// Which consumer made which claim, by token, forever.
  private(set) var makers: [BatchID: Int] = [:]
  var living: Set<Int> = []
  private(set) var lastStart: SteadyInstant?
  private var lanes: [[Item]] = [[], [], []]

  init(_ settings: Settings) {
    retries = settings.retries
    backoff = settings.backoff
  }

  subscript(key: Key) -> Item {
    get { lanes[Int(key.lane.rawValue)][key.number] }
    set { lanes[Int(key.lane.rawValue)][key.number] = newValue }
  }

  /// All items in the order in which they are served.
  var keys: [Key] {
    Lane.allCases.flatMap { lane in
      lanes[Int(lane.rawValue)].indices.map { Key(lane: lane, number: $0) }
    }
  }

  mutating func enqueue(
    _ id: EntryID, _ lane: Lane, _ data: [String], slice: Int, notBefore: Instant
  ) {
    let first = lanes[Int(lane.rawValue)].count
    for (index, text) in data.enumerated() {
      lanes[Int(lane.rawValue)].append(
        Item(entry: id, index: index + 1, data: text, due: notBefore))
    }
    entries.append(
      Entry(id: id, lane: lane, numbers: first..<(first + data.count), slice: slice))
  }
}

// Handing out.
extension Model {
  enum Answer: Equatable {
    case batch([Key])
    /// Something is ready; microseconds until its turn.
    case paced(TimeSpan)
    case nothing
  }

  mutating func claim(
    _ consumer: inout Consumer, size: Int, every: TimeSpan, wall: Instant, steady: SteadyInstant
  ) -> Answer {
    correct(at: wall)
    buryOverdue(at: wall)
    if steady - (consumer.lastReaping ?? 0) > 1_000_000 {
      consumer.lastReaping = steady
      reap(at: wall)
    }
    var batch = nextBatch(size, for: consumer, at: wall)
    if batch.isEmpty {
      reap(at: wall)
      batch = nextBatch(size, for: consumer, at: wall)
    }
    if batch.isEmpty { return .nothing }
    let wait = every > 0 ? wait(every, at: steady) : 0
    if wait > 0 { return .paced(wait) }
    lastStart = steady
    return .batch(batch)
  }

  mutating func hand(_ keys: [Key], as token: BatchID, to maker: Int) {
    for key in keys {
      if self[key].state == .held {
        remove(key, from: self[key].batch!)
        note(Model.overdue, of: key, at: self[key].due)
      }
      self[key].state = .claimed
      self[key].attempts += 1
      self[key].batch = token
    }
    claims[token] = Handed(keys: keys, maker: maker)
    makers[token] = maker
  }

  private func wait(_ every: TimeSpan, at steady: SteadyInstant) -> TimeSpan {
    lastStart.map { max(0, min(every, $0 + every - steady)) } ?? 0
  }

  /// Whether its time has come.
  func isDue(_ key: Key, at wall: Instant) -> Bool {
    [.ready, .held].contains(self[key].state) && self[key].due <= wall
  }

  /// Whether its holder is dead and no consumer has come since: then it is reported as ready.
  func isOrphaned(_ key: Key) -> Bool {
    guard self[key].state == .claimed, let maker = self[key].batch.flatMap({ makers[$0] }) else {
      return false
    }
    return !living.contains(maker)
  }

  private func isOffered(_ key: Key, to consumer: Consumer, at wall: Instant) -> Bool {
    let item = self[key]
    let isOwn = consumer.hidesOwnFailures && item.batch.flatMap { makers[$0] } == consumer.number
    return isDue(key, at: wall) && !isOwn
  }

  // The longest run, in order, of items that may come together.
  private func nextBatch(_ size: Int, for consumer: Consumer, at wall: Instant) -> [Key] {
    let offers = keys.filter { isOffered($0, to: consumer, at: wall) }
    guard let first = offers.first else { return [] }
    if isLastAttempt(first) { return [first] }
    let run = offers.prefix { self[$0].batch == self[first].batch && !isLastAttempt($0) }
    return Array(run.prefix(size))
  }

  // Whether this is the last attempt of an item that failed before.
  private func isLastAttempt(_ key: Key) -> Bool {
    self[key].attempts > 0 && self[key].attempts >= retries
  }

  /// The earliest time at which an item becomes ready for this consumer.
  func nextDue(for consumer: Consumer, at wall: Instant) -> Instant? {
    keys.filter {
      let item = self[$0]
      return [.ready, .held].contains(item.state) && item.due > wall
        && !(consumer.hidesOwnFailures && item.batch.flatMap { makers[$0] } == consumer.number)
    }.map { self[$0].due }.min()
  }

  // A clock that was set back must not make an item wait longer than was meant.
  private mutating func correct(at wall: Instant) {
    for key in keys where [.ready, .held].contains(self[key].state) {
      let item = self[key]
      if item.span > 0, item.due - item.span > wall + 1_000_000 { self[key].due = wall + item.span }
    }
  }

  // Items that the clock held for their last attempt until their time was over.
  private mutating func buryOverdue(at wall: Instant) {
    for (token, handed) in claims where handed.isHeld {
      for key in handed.keys where isDue(key, at: wall) && self[key].attempts > retries {
        note(Model.overdue, of: key, at: wall)
        release(key, .dead, at: 0)
        remove(key, from: token)
      }
    }
  }

  private mutating func remove(_ key: Key, from token: BatchID) {
    claims[token]!.keys.removeAll { $0 == key }
    if claims[token]!.keys.isEmpty { claims[token] = nil }
  }

  // Claims of dead holders.
  mutating func reap(at wall: Instant) {
    for (token, handed) in claims where !handed.isHeld && !living.contains(handed.maker) {
      for key in handed.keys {
        note(Model.died, of: key, at: wall)
        release(key, self[key].attempts > retries ? .dead : .ready, at: 0)
      }
      claims[token] = nil
    }
  }

  private static let died = Failure("the process that held it died")
  private static let overdue = Failure("not settled within its hold time")
}

// Settling.
extension Model {
  /// Returns how long failed items wait.
  @discardableResult
  mutating func settle(
    _ token: BatchID, attempt: Int, _ outcomes: [Outcome?], wall: Instant, random: UInt64
  ) -> TimeSpan {
    let wait = backoff.delay(after: attempt, random: random)
    let keys = claims[token]!.keys
    for (key, outcome) in zip(keys, outcomes) {
      switch outcome {
      case nil: continue
      // Only `change` settles like this, with attempts unchanged.
      case .wait: self[key].state = .ready
      case .done: self[key].state = .done
      case .giveBack: giveBack(key)
      case .retry(let failure):
        note(failure, of: key, at: wall)
        let isLast = self[key].attempts > retries
        release(key, isLast ? .dead : .ready, at: wait > 0 ? wall + wait : 0, span: wait)
      case .bury(let failure):
        note(failure, of: key, at: wall)
        release(key, .dead, at: 0)
      }
    }
    claims[token]!.keys = zip(keys, outcomes).filter { $0.1 == nil }.map(\.0)
    if claims[token]!.keys.isEmpty { claims[token] = nil }
    return wait
  }

  private mutating func giveBack(_ key: Key) {
    release(key, .ready, at: 0)
    self[key].attempts -= 1
    if self[key].attempts == 0 { self[key].batch = nil }
  }

  private mutating func release(_ key: Key, _ state: State, at due: Instant, span: TimeSpan = 0) {
    self[key].state = state
    self[key].due = due
    self[key].span = span
  }

  private mutating func note(_ failure: Failure, of key: Key, at wall: Instant) {
    self[key].stderr = failure.stderr
    self[key].history.append(
      Note(
        number: self[key].attempts, reason: failure.reason, exitStatus: failure.exitStatus,
        signal: failure.signal, ended: wall))
  }

  mutating func change(_ keys: [Key], to due: Claimer.Due, at wall: Instant) {
    for key in keys {
      switch due {
      case .now: release(key, .ready, at: 0)
      case .after(let span): release(key, .ready, at: wall + span, span: span)
      case .at(let time): release(key, .ready, at: time)
      }
      // Changed items come back together.
      if self[key].attempts > 0 { self[key].batch = .revived }
    }
  }

  mutating func hold(_ token: BatchID, for span: TimeSpan, wall: Instant) {
    claims[token]!.isHeld = true
    for key in claims[token]!.keys { release(key, .held, at: wall + span, span: span) }
  }

  /// Whether it may still be settled.
  func isHeld(_ token: BatchID, at wall: Instant) -> Bool {
    guard let handed = claims[token] else { return false }
    if handed.isHeld { return handed.keys.contains { !isDue($0, at: wall) } }
    return living.contains(handed.maker)
  }

  mutating func revive(_ id: EntryID) -> Int {
    let dead = self.dead(of: id)
    for key in dead {
      release(key, .ready, at: 0)
      self[key].attempts = 0
      self[key].batch = nil
      self[key].wasRevived = true
    }
    return dead.count
  }

  mutating func drop(_ id: EntryID) -> Int {
    let dead = self.dead(of: id)
    for key in dead { self[key].state = .dropped }
    return dead.count
  }

  private func dead(of id: EntryID) -> [Key] {
    entries.first { $0.id == id }!.keys.filter { self[$0].state == .dead }
  }
}
