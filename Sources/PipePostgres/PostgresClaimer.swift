#if Postgres
  internal import Glibc
  package import PipeIO
  package import PipeQueue
  package import PipeTime

  /// Claims items and settles them. The session's lock of an owner number holds the claims: they end with the
  /// connection, unless a command that inherited its socket still runs.
  package final class PostgresClaimer {
    let queue: PostgresQueue
    private var batches = BatchIDGenerator()
    private let hidesOwnFailures: Bool
    private var owner: Int?
    /// The socket, kept open for commands to inherit.
    private var inherited: Int32?
    /// When the first settlement that is not flushed was made.
    private var firstUnflushed: SteadyInstant?
    package var tag: String?
    package var lanes = Lane.allCases
    package private(set) var nextPoll: SteadyInstant?
    package private(set) var isPaced = false
    package private(set) var pause: Pause?
    /// Claims that are not settled.
    private var outstanding = 0
    /// When the server last answered.
    private var heard = Clock.steady()
    /// Whether the server may give this process's claims to others: its commands must end.
    package private(set) var isFenced = false

    private static let flushDelay: TimeSpan = .milliseconds(50)
    /// How long the owners of a run of the server that has ended have to come back.
    static let grace: TimeSpan = .seconds(15)

    package init(_ queue: PostgresQueue, hidesOwnFailures: Bool = true) {
      self.queue = queue
      self.hidesOwnFailures = hidesOwnFailures
    }

    deinit { if let inherited { close(inherited) } }

    /// The socket that holds the claims; a worker that inherits it holds them too.
    package var lockDescriptor: Int32? { inherited }

    private func begin() throws(Fault) -> Int {
      if let owner { return owner }
      let number = try queue.session.value("select nextval('owner')")
      try take(number)
      guard let own = Int(number) else { throw Fault(.bug, "owner \(number)") }
      owner = own
      return own
    }

    private func take(_ number: String) throws(Fault) {
      try queue.session.query(
        "select pg_advisory_lock(lock_key(), $1::int), set_config('pipe.owner', $1::int::text, false)",
        [number])
      keepSocket()
    }

    private func keepSocket() {
      if let inherited { close(inherited) }
      inherited = fcntl(queue.session.fd, F_DUPFD_CLOEXEC, 3)
    }

    // The connection.

    /// Whether the last answer is that of a question that was asked twice: the first may have had its effect.
    private var isRepeated = false

    /// Asks the server; if the connection is lost, comes back first and asks again.
    private func ask(_ text: String, _ values: [String?] = []) throws(Fault) -> [[String?]] {
      isRepeated = false
      do throws(Fault) {
        let rows = try queue.session.query(text, values)
        heard = Clock.steady()
        return rows
      } catch {
        guard queue.session.isBroken || error.kind == .unavailable else { throw error }
        try comeBack(error)
        isRepeated = true
        return try queue.session.query(text, values)
      }
    }

    /// Why nothing was settled.
    private func missed(_ batch: BatchID) -> Fault {
      isRepeated
        ? Fault(
          .outcomeUnknown,
          "claim \(batch.text): the connection was lost while it was settled; the outcome is unknown"
        )
        : lost(batch)
    }

    private func value(_ text: String, _ values: [String?] = []) throws(Fault) -> String {
      try ask(text, values).first?.first.flatMap { $0 } ?? ""
    }

    /// Connects again and takes the same owner number: after a restart of the server the claims are still ours.
    private func comeBack(_ reason: Fault) throws(Fault) {
      let deadline = Clock.steady() + queue.lost / 4
      while true {
        do throws(Fault) {
          try queue.session.connect()
          try queue.session.query("select arrive_1()")
          break
        } catch {
          guard error.kind == .unavailable, Clock.steady() < deadline else {
            isFenced = outstanding > 0
            throw reason
          }
          // Nothing tells when a server is back.
          var poller = Poller()
          try poller.wait(until: Clock.steady() + .milliseconds(200))
        }
      }
      heard = Clock.steady()
      guard let owner else { return }
      let isOurs = try queue.session.value(
        "select pg_try_advisory_lock(lock_key(), $1::int) from set_config('pipe.owner', $1::int::text, false)",
        ["\(owner)"])
      if isOurs == "t" { return keepSocket() }
      // The server still believes in the connection before; what it holds comes back when it no longer does.
      isFenced = outstanding > 0
      self.owner = nil
      if isFenced { throw reason }
    }

    /// When to ask the server whether it still hears this process, while claims are outstanding.
    package var checkDeadline: SteadyInstant? {
      outstanding > 0 && !isFenced ? heard + queue.lost / 4 : nil
    }

    /// Asks if it is time to. A server that does not answer may soon give the claims away.
    package func checkIfDue() throws(Fault) {
      guard let checkDeadline, Clock.steady() >= checkDeadline else { return }
      let patience = queue.session.patience
      queue.session.patience = queue.lost / 4
      defer { queue.session.patience = patience }
      _ = try ask("select")
    }

    /// Claims the next items, as the directory's claimer does.
    package func claim(
      size: Int, bytes: Int = .max, every: TimeSpan = .zero
    ) throws(Fault) -> Claim? {
      let owner = try begin()
      if let claim = try take(size, bytes, every, owner) { return claim }
      let dead = try value(
        "select reap_1($1::int, $2::bigint)",
        ["\(owner)", "\(PostgresClaimer.grace.microseconds)"])
      if dead != "0", let claim = try take(size, bytes, every, owner) { return claim }
      try look(owner, every)
      return nil
    }

    private func take(
      _ size: Int, _ bytes: Int, _ every: TimeSpan, _ owner: Int
    ) throws(Fault) -> Claim? {
      let batch = batches.next()
      // The digits that all batches of a run share.
      let run = hidesOwnFailures ? String(batch.uuid.dropFirst(14).prefix(9)) : ""
      let rows = try rows(
        """
        select id, item, lane, number, attempt, is_job, accepted, data
          from take_1($1::int, $2::bigint, $3::bigint, $4::smallint[], $5::int, $6::uuid, $7)
        """,
        [
          "\(size)", "\(bytes)", "\(every.microseconds)", array(lanes.map { "\($0.rawValue)" }),
          "\(owner)", batch.uuid, run,
        ], of: batch)
      (isPaced, nextPoll, pause) = (false, nil, nil)
      if rows.isEmpty { return nil }
      // A pace that a crash of the server forgets would be broken, and a standby that takes over must know
      // what runs.
      if every > .zero { try queue.session.flush() }
      outstanding += 1
      return Claim(batch, try rows.map(PostgresClaimer.row), owner: owner)
    }

    /// The rows of a claim. If the connection is lost, the claim may have been made all the same; it is not made again
    /// under the same token.
    private func rows(
      _ text: String, _ values: [String?], of batch: BatchID
    ) throws(Fault) -> [[String?]] {
      do throws(Fault) {
        let rows = try queue.session.query(text, values)
        heard = Clock.steady()
        return rows
      } catch {
        guard queue.session.isBroken || error.kind == .unavailable else { throw error }
        try comeBack(error)
        return owner == nil ? [] : try held(batch)
      }
    }

    private func held(_ batch: BatchID) throws(Fault) -> [[String?]] {
      try queue.session.query(
        "select id, item, lane, number, attempt, is_job, accepted, data from held_1($1::uuid)",
        [batch.uuid])
    }

    private static func row(_ columns: [String?]) throws(Fault) -> Claim.Row {
      let numbers = columns.dropFirst().prefix(4).map { $0.flatMap { Int($0) } }
      guard let id = columns[0].flatMap({ EntryID(uuid: $0) }), let index = numbers[0],
        let lane = numbers[1].flatMap({ UInt8(exactly: $0) }).flatMap(Lane.init(rawValue:)),
        let number = numbers[2], let attempt = numbers[3],
        let accepted = columns[6].flatMap({ Int64($0) })
      else { throw Fault(.bug, "a row of an item cannot be read") }
      return Claim.Row(
        entry: id, index: index, lane: lane, number: number, attempt: attempt,
        isJob: columns[5] == "t", accepted: Instant(microseconds: accepted),
        data: Array((columns[7] ?? "").utf8))
    }

    // Nothing was claimed: finds out when to try again.
    private func look(_ owner: Int, _ every: TimeSpan) throws(Fault) {
      let row = try ask(
        "select * from outlook_1($1::int, $2::bigint)", ["\(owner)", "\(every.microseconds)"])[0]
      let numbers = row.map { $0.flatMap { Int64($0) } }
      let now = numbers[7] ?? 0
      let steady = Clock.steady()
      let after = { (time: Int64) in steady + .microseconds(max(0, time - now)) }
      if let since = numbers[4], numbers[5].map({ $0 > now }) ?? true {
        pause = Pause(
          since: Instant(microseconds: since), until: numbers[5].map(Instant.init(microseconds:)),
          reason: row[6] ?? "")
        nextPoll = numbers[5].map(after)
        return
      }
      isPaced = every > .zero && row[3] == "t" && numbers[2].map { $0 > now } ?? false
      if isPaced {
        nextPoll = after(numbers[2] ?? now)
        return
      }
      // Nobody reports the death of another holder.
      nextPoll = [numbers[0].map(after), row[1] == "t" ? steady + .seconds(1) : nil].compactMap {
        $0
      }.min()
    }

    /// Acknowledges the whole claim.
    package func done(_ claim: consuming Claim) throws(Fault) {
      outstanding -= 1
      let count = try value("select ack_1($1::uuid)", [claim.batch.uuid])
      if count == "0" { throw missed(claim.batch) }
      note()
      try? queue.notify(.settled)
    }

    package func retry(_ claim: consuming Claim, _ failure: Failure) throws(Fault) -> Disposal {
      let isLast = claim.attempt > queue.settings.retries
      let count = claim.items.count
      let wait = backoff(claim.attempt)
      _ = try settle(claim, wait: wait) { _ in .retry(failure) }
      return isLast ? .buried(items: count) : .again(after: wait)
    }

    package func bury(_ claim: consuming Claim, _ failure: Failure) throws(Fault) -> Disposal {
      let count = claim.items.count
      _ = try settle(claim) { _ in .bury(failure) }
      return .buried(items: count)
    }

    package func giveBack(_ claim: consuming Claim) throws(Fault) {
      _ = try settle(claim) { _ in .giveBack }
    }

    package func acknowledge(_ claim: consuming Claim, first count: Int) throws(Fault) {
      if count >= claim.items.count { return try done(claim) }
      _ = try settle(claim) { $0 < count ? .done : .giveBack }
    }

    private func backoff(_ attempt: Int) -> TimeSpan {
      queue.settings.backoff.delay(after: max(1, attempt), random: UInt64.random(in: 0 ... .max))
    }

    package func settle(
      _ claim: consuming Claim, wait: TimeSpan? = nil, _ outcome: (Int) -> Outcome?
    ) throws(Fault) -> Claim? {
      let pieces = claim.pieces(retries: queue.settings.retries, outcome)
      if pieces.isEmpty { return claim }
      let wait = wait ?? backoff(claim.attempt)
      let started = claim.batch.claimed
      let now = Clock.now()
      let count = try value(
        """
        select settle_1($1::uuid, $2::smallint[], $3::bigint[], $4::bigint[], $5::"char"[], $6::bigint, $7::text[],
          $8::bytea[])
        """,
        [
          claim.batch.uuid, array(pieces.map { "\($0.lane.rawValue)" }),
          array(pieces.map { "\($0.numbers.lowerBound)" }),
          array(pieces.map { "\($0.numbers.upperBound)" }),
          array(pieces.map(\.fate.word)), "\(wait.microseconds)",
          array(pieces.map { $0.failure.map { AttemptText.line($0, started, now) } ?? "" }),
          array(pieces.map { "\\x" + hex($0.failure?.stderr ?? []) }),
        ])
      if count == "0" {
        outstanding -= 1
        throw missed(claim.batch)
      }
      note()
      if pieces.contains(where: { $0.fate != .done }) { try? queue.notify(.ready) }
      try? queue.notify(.settled)
      let rest = claim.without(pieces)
      if rest == nil { outstanding -= 1 }
      return rest
    }

    package func isOfThisRun(_ batch: BatchID) -> Bool { batches.isOfThisRun(batch) }

    /// Why a claim cannot be settled.
    package func lost(_ batch: BatchID) -> Fault {
      Fault(
        .claimLost,
        "claim \(batch.text) is no longer held: it was already settled, or its holder is gone")
    }

    // What others hold.

    package func adopt(_ batch: BatchID) throws(Fault) -> Claim? {
      let rows = try held(batch)
      if rows.isEmpty { return nil }
      outstanding += 1
      return Claim(batch, try rows.map(PostgresClaimer.row), owner: 0)
    }

    package func heldByThisRun() throws(Fault) -> Set<BatchID> {
      guard let owner else { return [] }
      let rows = try ask(
        "select distinct batch from span where owner = $1::int and state = 'c'", ["\(owner)"])
      return Set(
        rows.compactMap { $0[0].flatMap { BatchID(uuid: $0) } }.filter(batches.isOfThisRun))
    }

    package func hold(_ claim: consuming Claim, for span: TimeSpan) throws(Fault) -> Claim {
      let count = try value(
        "select hold_1($1::uuid, $2::bigint)", [claim.batch.uuid, "\(span.microseconds)"])
      outstanding -= 1
      if count == "0" { throw missed(claim.batch) }
      try queue.session.flush()
      return claim
    }

    // On the way to disk: settlements are flushed together.

    private func note() { firstUnflushed = firstUnflushed ?? Clock.steady() }

    package var flushDeadline: SteadyInstant? {
      firstUnflushed.map { $0 + PostgresClaimer.flushDelay }
    }

    package func flushIfDue() throws(Fault) {
      if let flushDeadline, Clock.steady() >= flushDeadline { try flush() }
    }

    package func flush() throws(Fault) {
      guard firstUnflushed != nil else { return }
      firstUnflushed = nil
      try queue.session.flush()
    }
  }

  extension Claim.Piece.Fate {
    fileprivate var word: String {
      switch self {
      case .done: "d"
      case .ready: "g"
      case .again: "r"
      case .moved: "w"
      case .dead: "b"
      }
    }
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { (($0 < 16) ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// A failed attempt in a history, after its number: `STARTED ENDED EXIT SIGNAL REASON`.
  enum AttemptText {
    static func line(_ failure: Failure, _ started: Instant, _ ended: Instant) -> String {
      let exit = failure.exitStatus.map { "\($0)" } ?? "-"
      let signal = failure.signal.map { "\($0)" } ?? "-"
      let reason = failure.reason.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        .replacing("\0", with: "\\0")
      return "\(started.microseconds) \(ended.microseconds) \(exit) \(signal) \(reason)"
    }

    /// The attempts of a history, in order.
    static func attempts(_ history: String) -> [Attempt] {
      history.split(separator: "\n").compactMap { line in
        let parts = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, let number = Int(parts[0]), let ended = Int64(parts[2]) else {
          return nil
        }
        return Attempt(
          number: number, started: Int64(parts[1]).map(Instant.init(microseconds:)),
          ended: Instant(microseconds: ended), exitStatus: Int32(parts[3]), signal: Int32(parts[4]),
          reason: String(parts[5]).replacing("\\n", with: "\n").replacing("\\0", with: "\0")
            .replacing("\\\\", with: "\\"))
      }
    }
  }
#endif
