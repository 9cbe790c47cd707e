#if Postgres
  package import PipeIO
  package import PipeQueue
  package import PipeTime

  // Waiting items that a person names. Each change is one transaction under the lock of claiming.
  extension PostgresClaimer {
    /// Makes dead letters of those of these items that wait. Returns how many. `isDropped`: without a letter that is
    /// listed.
    package func cancel(
      _ items: [WaitingItems], reason: String, isDropped: Bool
    ) throws(Fault) -> Int {
      let now = Clock.now()
      let line = AttemptText.line(Failure(reason), nil, now)
      return try change(
        "cancel_1", items, "$4, $5::bool", [line, isDropped ? "t" : "f"])
    }

    /// Makes those of these items that wait ready at `due`. Returns how many.
    package func reschedule(
      _ items: [WaitingItems], to due: Claimer.Due
    ) throws(Fault) -> Int {
      let values: [String?] =
        switch due {
        case .now: ["0", nil]
        case .after(let span): [nil, "\(span.microseconds)"]
        case .at(let time): ["\(time.microseconds)", nil]
        }
      return try change("reschedule_1", items, "$4::bigint, $5::bigint", values)
    }

    private func change(
      _ function: String, _ items: [WaitingItems], _ parameters: String, _ values: [String?]
    ) throws(Fault) -> Int {
      let count = try queue.session.value(
        "select \(function)($1::smallint[], $2::bigint[], $3::bigint[], \(parameters))",
        [
          array(items.map { "\($0.lane.rawValue)" }),
          array(items.map { "\($0.numbers.lowerBound)" }),
          array(items.map { "\($0.numbers.upperBound)" }),
        ] + values)
      try queue.session.flush()
      try? queue.notify(.ready)
      try? queue.notify(.settled)
      return Int(count) ?? 0
    }

    /// Moves those of these entries of which all items wait, never tried. Returns these, and those that are in the lane
    /// already.
    package func move(
      _ entries: [[WaitingItems]], to lane: Lane
    ) throws(Fault) -> Set<EntryID> {
      let there = entries.filter { $0[0].lane == lane && $0.allSatisfy { $0.attempts == 0 } }
      let rows = try queue.session.query(
        "select move_1($1::uuid[], $2::smallint)",
        [array(entries.map { $0[0].id.uuid }), "\(lane.rawValue)"])
      try queue.session.flush()
      try? queue.notify(.ready)
      return Set(rows.compactMap { $0[0].flatMap { EntryID(uuid: $0) } } + there.map { $0[0].id })
    }

    /// Calls `body` with each batch of the items that are ready, in the order of handing out, and with the time from
    /// now until then, until it returns false. Takes nothing: claims in a transaction that is undone.
    package func rehearse(
      size: Int, every: TimeSpan, _ body: (TimeSpan, borrowing Claim) throws(Fault) -> Bool
    ) throws(Fault) {
      let paused = try queue.pauseNow()
      if let paused, paused.until == nil { return }
      let row = try queue.session.query(
        "select greatest(0, p.started + $1::bigint - micros()), micros() from pace p",
        ["\(every.microseconds)"])[0]
      let numbers = row.map { $0.flatMap { Int64($0) } ?? 0 }
      var at: TimeSpan = every > .zero ? .microseconds(numbers[0]) : .zero
      if let until = paused?.until { at = max(at, until - Instant(microseconds: numbers[1])) }
      // The transaction keeps consumers waiting, so it is short at first, and prints nothing.
      var (printed, most) = (0, 64)
      while true {
        let batches = try rehearse(size, most)
        for (batch, rows) in batches.dropFirst(printed) {
          let claim = try PostgresClaimer.claim(batch, rows, 0)
          if try !body(at, claim) { return }
          at = at + every
        }
        if batches.count < most { return }
        if most > PostgresClaimer.mostRehearsed {
          queue.report("only the first \(most) batches are shown")
          return
        }
        (printed, most) = (most, 4 * most)
      }
    }

    /// More would keep consumers waiting for too long.
    private static let mostRehearsed = 1000

    private func rehearse(
      _ size: Int, _ most: Int
    ) throws(Fault) -> [(batch: BatchID, rows: [[String?]])] {
      try queue.session.transaction(isKept: false) { () throws(Fault) in
        try queue.session.query("update format set paused_since = null")
        var batches: [(batch: BatchID, rows: [[String?]])] = []
        while batches.count < most {
          let (batch, number) = try rehearsal()
          let (text, values) = taking(size, .max, .zero, number, batch)
          let rows = try queue.session.query(text, values)
          if rows.isEmpty { break }
          batches.append((batch, rows))
        }
        return batches
      }
    }
  }
#endif
