#if Postgres
  package import PipeIO
  package import PipeQueue
  package import PipeTime

  /// Claims items and settles them. Its owner holds the claims.
  package final class PostgresClaimer {
    let queue: PostgresQueue
    let owner: PostgresOwner
    private var batches = BatchIDGenerator(at: Clock.now())
    private let hidesOwnFailures: Bool
    /// When to look for dead owners, whatever is ready.
    private var nextReap = SteadyInstant.boot
    /// Outputs that come before the next settlement.
    private var outputs: [Claim.OutputPiece] = []
    /// When the first settlement that is not flushed was made.
    private var firstUnflushed: SteadyInstant?
    package var tag: String?
    package var lanes = Lane.allCases
    package private(set) var nextPoll: SteadyInstant?
    package private(set) var isPaced = false
    package private(set) var pause: Pause?

    /// The clock by which dead owners are looked for; tests pass in their own.
    var steady: () -> SteadyInstant = Clock.steady

    private static let flushDelay: TimeSpan = .milliseconds(50)

    /// `hidesOwnFailures`: the run ends by itself. Any other follows its queue, and waits for a server that is away while
    /// it holds no claims.
    package init(_ queue: PostgresQueue, hidesOwnFailures: Bool = true) {
      self.queue = queue
      self.hidesOwnFailures = hidesOwnFailures
      owner = PostgresOwner(queue, isPatient: !hidesOwnFailures)
    }

    /// The socket that holds the claims; a worker that inherits it holds them too.
    package var lockDescriptor: Int32? { owner.socket }

    /// When to ask the server whether it still hears this process, while claims are outstanding.
    package var checkDeadline: SteadyInstant? { owner.checkDeadline }

    /// Asks if it is time to.
    package func checkIfDue() throws(Fault) { try owner.checkIfDue() }

    /// The connection that holds claims; its end must be noticed at once. nil: there are none.
    package var connection: Int32? { owner.connection }

    package func checkConnection() throws(Fault) { try owner.checkConnection() }

    /// Whether the server may give this process's claims to others: its commands must end.
    package var isFenced: Bool { owner.isFenced }

    /// Nothing was settled: the claim is lost, unless the question was asked again after the connection was lost.
    private func miss(_ batch: BatchID) throws(Fault) {
      guard !hidesOwnFailures, owner.isRepeated || owner.hadLoss else { throw missed(batch) }
      queue.report("\(lossText(batch)); its items may be delivered again")
    }

    private func missed(_ batch: BatchID) -> Fault {
      owner.isRepeated
        ? Fault(.outcomeUnknown, "\(lossText(batch)); the outcome is unknown") : batch.lost
    }

    private func lossText(_ batch: BatchID) -> String {
      "claim \(batch.text): the connection was lost while it was settled"
    }

    /// Claims the next items, as the directory's claimer does.
    package func claim(
      size: Int, bytes: Int = .max, every: TimeSpan = .zero
    ) throws(Fault) -> Claim? {
      let number = try owner.begin()
      // Also while there is always something ready.
      if nextReap <= steady() { _ = try reap(number) }
      if let claim = try take(size, bytes, every, number) { return claim }
      if try reap(number), let claim = try take(size, bytes, every, number) { return claim }
      try look(number, every)
      return nil
    }

    /// Makes ready what the dead held. Returns whether there was something.
    private func reap(_ number: Int) throws(Fault) -> Bool {
      nextReap = steady() + .seconds(1)
      return try owner.value("select reap_1($1::int)", ["\(number)"]) != "0"
    }

    private func take(
      _ size: Int, _ bytes: Int, _ every: TimeSpan, _ number: Int
    ) throws(Fault) -> Claim? {
      var batch = batches.next(at: Clock.now())
      var number = number
      var rows = try takeSafely(size, bytes, every, number, batch)
      while rows.isEmpty, owner.isRepeated, Stops.signals.isEmpty {
        // The question was lost with its connection: nothing says that nothing is ready.
        number = try owner.begin()
        batch = batches.next(at: Clock.now())
        rows = try takeSafely(size, bytes, every, number, batch)
      }
      (isPaced, nextPoll, pause) = (false, nil, nil)
      if rows.isEmpty { return nil }
      owner.outstanding.insert(batch)
      return try PostgresClaimer.claim(batch, rows, number)
    }

    /// Claims, and flushes the claim where a crash of the server must not undo it: it would forget the pace, and a
    /// standby that takes over must know what runs. No rows: none are ready, or the connection was lost before the
    /// claim was safe, and the process gave it back when it connected again.
    private func takeSafely(
      _ size: Int, _ bytes: Int, _ every: TimeSpan, _ number: Int, _ batch: BatchID
    ) throws(Fault) -> [[String?]] {
      let rows = try take(size, bytes, every, number, batch)
      guard !rows.isEmpty, every > .zero || queue.session.isReplicated else { return rows }
      try owner.flush()
      return owner.isRepeated ? [] : rows
    }

    private func take(
      _ size: Int, _ bytes: Int, _ every: TimeSpan, _ number: Int, _ batch: BatchID
    ) throws(Fault) -> [[String?]] {
      let (text, values) = taking(size, bytes, every, number, batch)
      // The claim may have been made all the same; it is not made again under the same token.
      return try owner.ask(text, values, ifLost: { [self] () throws(Fault) in try held(batch) })
    }

    /// The question that claims.
    func taking(
      _ size: Int, _ bytes: Int, _ every: TimeSpan, _ number: Int, _ batch: BatchID
    ) -> (text: String, values: [String?]) {
      return (
        """
        select id, item, lane, number, attempt, is_job, accepted, data
          from take_1($1::int, $2::bigint, $3::bigint, $4::smallint[], $5::int, $6::uuid, $7)
        """,
        [
          "\(size)", "\(bytes)", "\(every.microseconds)", array(lanes.map { "\($0.rawValue)" }),
          "\(number)", batch.uuid, run,
        ]
      )
    }

    /// The digits that all batches of this run share, if it leaves the items that it failed to others; otherwise empty.
    private lazy var run =
      hidesOwnFailures ? String(batches.next(at: Clock.now()).uuid.dropFirst(14).prefix(9)) : ""

    static func claim(_ batch: BatchID, _ rows: [[String?]], _ number: Int) throws(Fault) -> Claim {
      Claim(batch, try rows.map(PostgresClaimer.row), owner: number)
    }

    /// What a question that is not a claim needs of one.
    func rehearsal() throws(Fault) -> (batch: BatchID, number: Int) {
      (batches.next(at: Clock.now()), try owner.begin())
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
    private func look(_ number: Int, _ every: TimeSpan) throws(Fault) {
      let row = try owner.ask(
        "select * from outlook_1($1::int, $2::bigint, $3)",
        ["\(number)", "\(every.microseconds)", run])[0]
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
      // The server does not report the death of another holder.
      nextPoll = [numbers[0].map(after), row[1] == "t" ? steady + .seconds(1) : nil].compactMap {
        $0
      }.min()
    }

    /// Acknowledges the whole claim.
    package func done(_ claim: consuming Claim) throws(Fault) {
      owner.outstanding.remove(claim.batch)
      try storeOutputs()
      let count = try owner.value(
        "select ack_1($1::uuid, $2)",
        [claim.batch.uuid, claim.settledLine(tag: tag, at: Clock.now())])
      if count == "0" { return try miss(claim.batch) }
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
      try storeOutputs()
      let count = try owner.value(
        """
        select settle_1($1::uuid, $2::smallint[], $3::bigint[], $4::bigint[], $5::"char"[], $6::bigint, $7::text[],
          $8::bytea[], $9::text[])
        """,
        [
          claim.batch.uuid, array(pieces.map { "\($0.lane.rawValue)" }),
          array(pieces.map { "\($0.numbers.lowerBound)" }),
          array(pieces.map { "\($0.numbers.upperBound)" }),
          array(pieces.map(\.fate.word)), "\(wait.microseconds)",
          array(pieces.map { $0.failure.map { AttemptText.line($0, started, now) } ?? "" }),
          array(pieces.map { "\\x" + hex($0.failure?.stderr ?? []) }),
          array(claim.settledLines(retries: queue.settings.retries, tag: tag, at: now, outcome)),
        ])
      if count == "0" {
        owner.outstanding.remove(claim.batch)
        try miss(claim.batch)
        return nil
      }
      note()
      if pieces.contains(where: { $0.fate != .done }) { try? queue.notify(.ready) }
      try? queue.notify(.settled)
      let batch = claim.batch
      let rest = claim.without(pieces)
      if rest == nil { owner.outstanding.remove(batch) }
      return rest
    }

    /// Keeps `output` for the items of a claim at these indices; nil: all. Call it before they are settled.
    package func keep(_ output: AttemptOutput, of claim: borrowing Claim, items: Set<Int>? = nil) {
      outputs += claim.outputPieces(output, items)
    }

    package func keep(_ value: [UInt8], of claim: borrowing Claim, items: Set<Int>? = nil) {
      let output = AttemptOutput(
        attempt: claim.attempt, started: nil, ended: Clock.now(), value: value)
      keep(output, of: claim, items: items)
    }

    private func storeOutputs() throws(Fault) {
      if outputs.isEmpty { return }
      _ = try owner.ask(
        "select keep_1($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[])",
        [
          array(outputs.map { "\($0.lane.rawValue)" }),
          array(outputs.map { "\($0.numbers.lowerBound)" }),
          array(outputs.map { "\($0.numbers.upperBound)" }),
          array(outputs.map { "\\x" + hex($0.record) }),
        ])
      outputs = []
    }

    package func isOfThisRun(_ batch: BatchID) -> Bool { batches.isOfThisRun(batch) }

    /// Why a claim cannot be settled.
    package func lost(_ batch: BatchID) -> Fault { batch.lost }

    // What others hold.

    package func adopt(_ batch: BatchID) throws(Fault) -> Claim? {
      let rows = try held(batch)
      if rows.isEmpty { return nil }
      owner.outstanding.insert(batch)
      return try PostgresClaimer.claim(batch, rows, 0)
    }

    package func heldByThisRun() throws(Fault) -> Set<BatchID> {
      guard let number = owner.number else { return [] }
      let rows = try owner.ask(
        "select distinct batch from span where owner = $1::int and state = 'c'", ["\(number)"])
      let held = Set(
        rows.compactMap { $0[0].flatMap { BatchID(uuid: $0) } }.filter(batches.isOfThisRun))
      // Other processes may have settled the rest.
      owner.outstanding.formIntersection(held)
      return held
    }

    package func hold(_ claim: consuming Claim, for span: TimeSpan) throws(Fault) -> Claim {
      let batch = claim.batch
      defer { owner.outstanding.remove(batch) }
      // The line of the claim must not be printed before the hold is safe: a crash of the server can undo it.
      repeat {
        let count = try owner.value(
          """
          select case when exists (select from span where batch = $1::uuid and state = 'h') then 1
            else hold_1($1::uuid, $2::bigint) end
          """, [batch.uuid, "\(span.microseconds)"])
        if count == "0" { throw missed(batch) }
        try owner.flush()
      } while owner.isRepeated
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
      try owner.flush()
      // Statistics only inform.
      try? queue.foldStatistics()
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
#endif
