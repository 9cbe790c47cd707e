#if Postgres
  import PipeEngine
  import PipeIO
  import PipeTime
  import PipeWork
  import TestSupport

  @testable import PipePostgres
  @testable import PipeQueue

  typealias Queue = PipeEngine.Queue
  typealias Claimer = PipeEngine.Claimer
  typealias Appender = PipeEngine.Appender

  /// A claim that can be taken out once.
  final class ClaimBox {
    let batch: BatchID
    private var claim: Claim?

    init(_ claim: consuming Claim) {
      batch = claim.batch
      self.claim = consume claim
    }

    func take() -> Claim { claim.take()! }
  }

  /// The time of a schedule. It begins a month ago, so that for a command, which uses the clock of the machine, every
  /// delay is over: a time in the future would look like a clock that was set back.
  final class ScheduleTime {
    var wall = Instant(microseconds: Clock.now().microseconds / 1_000_000 * 1_000_000) - .days(30)
    var steady = SteadyInstant(microseconds: 1_000_000_000_000)
  }

  /// A queue of one engine, with the consumers that use it. Both sides of a schedule get the same calls.
  final class Side {
    let name: String
    let path: String
    private(set) var queue: Queue
    private var producers: [Appender]
    /// By the numbers of the consumers.
    private var claimers: [Int: Claimer] = [:]
    /// Unsettled claims, by their numbers in the schedule.
    private var claims: [Int: ClaimBox] = [:]
    private let time: ScheduleTime
    /// A session that sets the clock of the server's queue.
    private let session: Session?

    init(
      _ path: String, _ settings: Settings, _ time: ScheduleTime, dedup: TimeSpan
    ) throws {
      self.path = path
      self.time = time
      queue = try Queue.create(path: path, change: { $0 = settings })
      producers = [Appender(queue, dedup: dedup), Appender(try Queue(path: path), dedup: dedup)]
      guard case .postgres(let queue) = queue else {
        (name, session) = ("directory", nil)
        return
      }
      (name, session) = ("PostgreSQL", queue.session)
      try queue.session.query("create table test_time (now bigint)")
      try queue.session.query("insert into test_time values ($1::bigint)", [microseconds])
      try queue.session.query(
        "create or replace function micros() returns bigint language sql volatile as 'select now from test_time'"
      )
    }

    private var microseconds: String { "\(time.wall.microseconds)" }

    /// Call when the time has changed.
    func tick() throws {
      try session?.query("update test_time set now = $1::bigint", [microseconds])
    }

    /// Removes the tables of the queue.
    func remove() throws {
      claims = [:]
      claimers = [:]
      producers = []
      guard let session else { return }
      let schema = try session.value("select current_schema()")
      try session.query("set client_min_messages = error")
      try session.query("drop schema \(schema) cascade")
    }

    // Each call returns what a user would see of it.

    func commit(_ writeBatch: WriteBatch, by producer: Int) throws -> [String] {
      var writeBatch = writeBatch
      do throws(Fault) { try producers[producer].commit(&writeBatch) } catch {
        return ["\(error.kind)"]
      }
      return writeBatch.receipts.map { $0.id.text + ($0.isDuplicate ? " again" : "") }
    }

    func start(_ consumer: Int, hides: Bool) throws {
      claimers[consumer] = timed(Claimer(try Queue(path: path), hidesOwnFailures: hides))
    }

    /// With the clock of the schedule.
    private func timed(_ claimer: Claimer) -> Claimer {
      switch claimer {
      case .directory(let claimer):
        claimer.wall = { [time] in time.wall }
        claimer.steady = { [time] in time.steady }
      case .postgres(let claimer): claimer.steady = { [time] in time.steady }
      }
      return claimer
    }

    /// The consumer ends as if it was killed.
    func kill(_ consumer: Int, _ numbers: [Int]) throws {
      for number in numbers { claims[number] = nil }
      let holder = claimers.removeValue(forKey: consumer).flatMap(Side.holder)
      guard let holder else { return }
      try wait(until: { try isDead(holder) }, "the death of a consumer")
    }

    /// The slot or the owner number that holds its claims.
    private static func holder(_ claimer: Claimer) -> Int? {
      switch claimer {
      case .directory(let claimer): claimer.owner?.slot
      case .postgres(let claimer): claimer.owner.number
      }
    }

    private func isDead(_ holder: Int) throws -> Bool {
      switch queue {
      case .directory(let queue): Owner.isDead(holder, queue)
      case .postgres(let queue):
        try queue.session.value("select count(*) from owner_locks() where owner = \(holder)") == "0"
      }
    }

    func claim(
      _ number: Int, by consumer: Int, size: Int, every: TimeSpan
    ) throws -> [String] {
      let claimer = claimers[consumer]!
      guard let claim = try claimer.claim(size: size, every: every) else {
        return [claimer.isPaced ? "paced" : claimer.pause == nil ? "nothing" : "paused"]
      }
      let text = Side.text(claim)
      claims[number] = ClaimBox(claim)
      return text
    }

    private static func text(_ claim: borrowing Claim) -> [String] {
      let bytes = claim.bytes
      return ["attempt \(claim.attempt)"]
        + claim.items.map { item in
          "\(item.priority.name) \(item.entry.text).\(item.index)"
            + " \(String(decoding: bytes[item.data], as: UTF8.self))"
        }
    }

    func settle(
      _ number: Int, by consumer: Int, wait: TimeSpan, _ outcomes: [Outcome?]
    ) throws -> [String] {
      let claim = claims.removeValue(forKey: number)!.take()
      do throws(Fault) {
        guard
          let rest = try claimers[consumer]!.settle(claim, wait: wait, { outcomes[$0] })
        else { return ["settled"] }
        let text = Side.text(rest)
        claims[number] = ClaimBox(rest)
        return text
      } catch { return ["\(error.kind)"] }
    }

    func acknowledge(_ number: Int, by consumer: Int, first count: Int) throws -> [String] {
      let claim = claims.removeValue(forKey: number)!.take()
      do throws(Fault) { try claimers[consumer]!.acknowledge(claim, first: count) } catch {
        return ["\(error.kind)"]
      }
      return []
    }

    func hold(_ number: Int, by consumer: Int, for span: TimeSpan) throws -> [String] {
      let claim = claims.removeValue(forKey: number)!.take()
      do throws(Fault) {
        claims[number] = ClaimBox(try claimers[consumer]!.hold(claim, for: span))
      } catch { return ["\(error.kind)"] }
      return []
    }

    /// Another process takes over a held claim by its token.
    func adopt(_ number: Int, by consumer: Int) throws -> [String] {
      let batch = claims.removeValue(forKey: number)!.batch
      let claimer = claimers[consumer]!
      guard let claim = try claimer.adopt(batch, try claimer.holdings([batch])) else {
        return ["lost"]
      }
      let text = Side.text(claim)
      claims[number] = ClaimBox(claim)
      return text
    }

    func revive(_ id: EntryID) throws -> [String] { ["\(try queue.revive(id))"] }

    func drop(_ id: EntryID) throws -> [String] { ["\(try queue.drop(id))"] }

    func pause(until: Instant?) throws -> [String] {
      try queue.pause(until: until, reason: "test")
      return []
    }

    func resume() throws -> [String] { ["\(try queue.resume())"] }

    func waiting(of id: EntryID) throws -> [WaitingItems] {
      try queue.waiting(of: id, at: time.wall)?.waiting ?? []
    }

    func control(_ action: ControlJob.Action, _ ids: [EntryID]) throws -> [String] {
      let job = ControlJob(queue, action, Diagnostics(command: "test"))
      let result = try job.run(ids.map(\.text), endsCommands: false)
      return ["\(result.entries) \(result.items) \(result.missed)"]
    }

    func reschedule(_ ids: [EntryID], to due: Claimer.Due) throws -> [String] {
      let items = try ids.flatMap(waiting)
      return ["\(try timed(Claimer(queue)).reschedule(items, to: due))"]
    }

    /// All items with their states, and all dead letters.
    func census() throws -> [String] {
      var lines: [String] = []
      try queue.list(ListedEntry.State.allCases, at: time.wall) { entry in
        let due = entry.due.map { " due \($0.microseconds)" } ?? ""
        let data = String(decoding: entry.data, as: UTF8.self)
        lines.append(
          "\(entry.priority.name) \(entry.id.text) \(entry.state.rawValue)\(due) \(data)")
        return true
      }
      try queue.deadLetters { letter in
        // PostgreSQL also keeps the attempts before a retry.
        let reason = letter.history.last.map { "\($0.number) \($0.reason)" } ?? ""
        lines.append("dead \(letter.entry.text).\(letter.index) \(reason)")
        return true
      }
      return lines
    }
  }
#endif
