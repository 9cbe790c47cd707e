#if Postgres
  package import PipeIO
  package import PipeQueue
  package import PipeTime

  extension PostgresQueue {
    private static let page = 500

    /// As the directory's `list`; nothing is lost here.
    package func list(
      _ states: [ListedEntry.State], _ body: (ListedEntry) throws(Fault) -> Bool
    ) throws(Fault) {
      for lane in Lane.allCases {
        let first =
          states.contains(.done)
          ? "0" : try session.readValue("select first_undone_1($1::smallint)", ["\(lane.rawValue)"])
        var start = first
        while true {
          let rows = try session.read(
            "select * from list_1($1::smallint, $2::bigint, $3::int)",
            ["\(lane.rawValue)", start, "\(PostgresQueue.page)"])
          for row in rows where try !list(row, lane, states, body) { return }
          guard rows.count == PostgresQueue.page, let last = rows.last,
            let number = Int(last[1] ?? ""),
            let items = Int(last[2] ?? "")
          else { break }
          start = "\(number + items)"
        }
      }
    }

    private func list(
      _ row: [String?], _ lane: Lane, _ states: [ListedEntry.State],
      _ body: (ListedEntry) throws(Fault) -> Bool
    ) throws(Fault) -> Bool {
      guard let id = row[0].flatMap({ EntryID(uuid: $0) }) else { return true }
      let words = elements(row[5])
      let dues = elements(row[6]).map { Int64($0) ?? 0 }
      let attempts = row[7].map { elements($0).map { Int($0) ?? 0 } }
      let ids = row[4] == nil ? [] : elements(row[8], brackets: ("[", "]"))
      let number = Int(row[1] ?? "") ?? 0
      for state in ListedEntry.State.order where states.contains(state) {
        let places = words.indices.filter { words[$0] == state.rawValue }
        guard !places.isEmpty else { continue }
        let data =
          row[4] == nil ? row[8] ?? "" : "[" + places.map { ids[$0] }.joined(separator: ",") + "]"
        let due = state == .later ? places.map { dues[$0] }.min() : nil
        let listed = ListedEntry(
          id: id, priority: lane, created: Instant(microseconds: Int64(row[3] ?? "") ?? 0),
          state: state,
          due: due.map(Instant.init(microseconds:)), isRecord: row[4] == nil,
          data: Array(data.utf8),
          waiting: state != .ready && state != .later
            ? []
            : waitingItems(id, lane, number, places, attempts, isReady: state == .ready))
        if try !body(listed) { return false }
      }
      return true
    }

    // One for each run of adjacent places with equal attempts. `first`: the number of the entry's first item;
    // `attempts`: nil if none was tried.
    private func waitingItems(
      _ id: EntryID, _ lane: Lane, _ first: Int, _ places: [Int], _ attempts: [Int]?, isReady: Bool
    ) -> [WaitingItems] {
      var found: [WaitingItems] = []
      for place in places {
        let attempt = attempts?[place] ?? 0
        var numbers = (first + place)..<(first + place + 1)
        if let last = found.last, last.numbers.upperBound == numbers.lowerBound,
          last.attempts == attempt
        {
          numbers = last.numbers.lowerBound..<numbers.upperBound
          found.removeLast()
        }
        found.append(WaitingItems(id, lane, numbers, isReady: isReady, attempts: attempt))
      }
      return found
    }

    /// The items of an entry that wait, the claims of others, and how many are neither; nil if there is no such entry.
    package func waiting(
      of id: EntryID
    ) throws(Fault) -> (waiting: [WaitingItems], claims: Set<BatchID>, others: Int)? {
      guard
        let entry = try session.read(
          "select lane, number from entry where id = $1::uuid", [id.uuid]
        ).first, let lane = self.lane(entry[0]),
        let number = entry[1].flatMap({ Int($0) })
      else { return nil }
      let rows = try session.read(
        "select state, coalesce(attempt, 0), batch from states_1($1::uuid) order by item", [id.uuid]
      )
      var claims: Set<BatchID> = []
      var others = 0
      let attempts = rows.map { $0[1].flatMap { Int($0) } ?? 0 }
      var places: (ready: [Int], later: [Int]) = ([], [])
      for (place, row) in rows.enumerated() {
        switch row[0] {
        case "ready", "again": places.ready.append(place)
        case "later": places.later.append(place)
        case "claimed":
          if let batch = row[2].flatMap({ BatchID(uuid: $0) }) { claims.insert(batch) }
        default: others += 1
        }
      }
      let items = [(places.ready, true), (places.later, false)].flatMap { places, isReady in
        waitingItems(id, lane, number, places, attempts, isReady: isReady)
      }
      return (items.sorted { $0.numbers.lowerBound < $1.numbers.lowerBound }, claims, others)
    }

    // Of an array without quotes: words, numbers or ids.
    private func elements(
      _ text: String?, brackets: (Character, Character) = ("{", "}")
    ) -> [String] {
      guard let text, text.first == brackets.0, text.last == brackets.1 else { return [] }
      return text.dropFirst().dropLast().split(separator: ",").map(String.init)
    }

    package func explain(_ id: EntryID) throws(Fault) -> Explanation? {
      guard
        let entry = try session.read(
          "select lane, number, items, coalesce(created, time), time from entry where id = $1::uuid",
          [id.uuid]
        ).first, let lane = self.lane(entry[0]),
        let number = entry[1].flatMap({ Int($0) }), let items = entry[2].flatMap({ Int($0) })
      else { return nil }
      let rows = try session.read("select * from states_1($1::uuid) order by item", [id.uuid])
      var runs: [Explanation.Run] = []
      var start = 0
      for index in rows.indices
      where index + 1 == rows.count || rows[index + 1].dropFirst() != rows[index].dropFirst() {
        let row = rows[start]
        runs.append(
          Explanation.Run(
            items: (start + 1)...(index + 1), fate: try fate(row, lane, number + start),
            history: AttemptText.attempts(row[5] ?? "")))
        start = index + 1
      }
      return Explanation(
        id: id, priority: lane, created: instant(entry[3]), accepted: instant(entry[4]),
        items: items,
        runs: runs,
        pace: try pace(), pause: try pauseNow())
    }

    private func pace() throws(Fault) -> PaceView? {
      let row = try session.read(
        "select every, greatest(0, started + every - micros()), greatest(0, micros() - started), size from pace"
          + " where started > 0"
      ).first
      guard let row else { return nil }
      let numbers = row.map { $0.flatMap { Int64($0) } ?? 0 }
      return PaceView(
        every: .microseconds(numbers[0]), wait: .microseconds(numbers[0] > 0 ? numbers[1] : 0),
        sinceLast: .microseconds(numbers[2]), size: Int(numbers[3]), rate: try recentRate())
    }

    // Items per second that were settled recently. A directory counts what is handed out.
    private func recentRate() throws(Fault) -> Double? {
      let now = Clock.now()
      var (items, first) = (0, now)
      try recordings(since: now - .seconds(20), at: now) { recording in
        guard [.batches, .retried, .buried].contains(recording.kind) else { return }
        items += recording.items
        first = min(first, recording.first)
      }
      return items > 0 ? Double(items) / max(now - first, .seconds(1)).seconds : nil
    }

    // `row`: item, state, attempt, due, batch, history.
    private func fate(_ row: [String?], _ lane: Lane, _ number: Int) throws(Fault)
      -> Explanation.Fate
    {
      let attempts = row[2].flatMap { Int($0) } ?? 0
      let due = row[3].flatMap { Int64($0) } ?? 0
      switch row[1] {
      case "done": return .done
      case "dead": return .dead(isDropped: false)
      case "dropped": return .dead(isDropped: true)
      case "later": return .later(due: Instant(microseconds: due), attempts: attempts)
      case "claimed":
        guard let batch = row[4].flatMap({ BatchID(uuid: $0) }) else { return .done }
        return .claimed(
          token: batch, attempt: attempts, holder: try holder(batch), since: batch.claimed,
          until: due > 0 ? Instant(microseconds: due) : nil)
      default:
        let ahead = try session.readValue(
          "select ahead_1($1::smallint, $2::bigint)", ["\(lane.rawValue)", "\(number)"])
        return .ready(ahead: Int(ahead) ?? 0)
      }
    }

    private func holder(_ batch: BatchID) throws(Fault) -> String? {
      let text = try session.readValue("select holder_1($1::uuid)", [batch.uuid])
      return text.isEmpty ? nil : text
    }

    /// The held claims, oldest first.
    package func claims() throws(Fault) -> [ClaimView] {
      try session.read("select * from claims_1()").compactMap { row in
        guard let batch = row[0].flatMap({ BatchID(uuid: $0) }),
          let items = row[1].flatMap({ Int($0) }),
          let attempt = row[2].flatMap({ Int($0) }),
          let lane = self.lane(row[3])
        else { return nil }
        let until = row[4].flatMap { Int64($0) } ?? 0
        return ClaimView(
          claim: batch, items: items, attempt: attempt, priority: lane, holder: row[5],
          until: until > 0 ? Instant(microseconds: until) : nil)
      }
    }

    package func content(of id: EntryID) throws(Fault) -> EntryContent? {
      let row = try session.read(
        "select lane, slice, data from entry where id = $1::uuid", [id.uuid]
      ).first
      guard let row, let lane = self.lane(row[0]) else {
        return nil
      }
      return EntryContent(priority: lane, isRecord: row[1] == nil, data: Array((row[2] ?? "").utf8))
    }

    package func arrivals(since: Instant) throws(Fault) -> Arrivals {
      let row = try session.read(
        "select coalesce(sum(items), 0), min(time), max(time) from entry where time >= $1::bigint",
        ["\(since.microseconds)"])[0]
      return Arrivals(
        items: row[0].flatMap { Int($0) } ?? 0, first: row[1].map { _ in instant(row[1]) },
        last: row[2].map { _ in instant(row[2]) })
    }

    /// For each lane, the number of the first item that was accepted at `time` or later.
    package func numbers(from time: Instant) throws(Fault) -> [Int] {
      try session.read(
        """
        select coalesce((select min(e.number) from entry e where e.lane = h.lane and e.time >= $1::bigint),
          (select max(e.number + e.items) from entry e where e.lane = h.lane), 0) from head h order by h.lane
        """, ["\(time.microseconds)"]
      ).map { $0[0].flatMap { Int($0) } ?? 0 }
    }

    /// Does the same for the dead items of each entry, and calls `body` with the results.
    package func treatAll(
      _ body: (DeadLetterResult) throws(Fault) -> Void, _ treat: (EntryID) throws(Fault) -> Int
    ) throws(Fault) {
      let rows = try session.read(
        """
        select e.id from dead d join lateral (select * from entry q where q.lane = d.lane
          and q.number <= d.number order by q.number desc limit 1) e on true
          where not d.dropped group by e.id order by min(d.lane), min(d.number)
        """)
      for id in rows.compactMap({ $0[0].flatMap { EntryID(uuid: $0) } }) {
        let count = try treat(id)
        if count > 0 { try body(DeadLetterResult(id: id, items: count)) }
      }
    }

    package func prune() throws(Fault) -> Pruned {
      var pruned = Pruned()
      while true {
        let row = try session.query("select * from prune_1(10000)")[0]
        let entries = row[0].flatMap { Int($0) } ?? 0
        pruned.removed.segments += entries
        pruned.removed.bytes += row[1].flatMap { Int($0) } ?? 0
        if entries == 0 { return pruned }
      }
    }
  }

  extension PostgresClaimer {
    /// Calls `visit` with each entry of the claim's items, in order, and the items that belong to it.
    package func forEachEntry(
      of claim: borrowing Claim, _ visit: (StoredEntry, Range<Int>) throws(Fault) -> Void
    ) throws(Fault) {
      var index = 0
      while index < claim.items.count {
        let id = claim.items[index].entry
        let start = index
        while index < claim.items.count, claim.items[index].entry == id { index += 1 }
        let rows = try queue.session.query(
          "select lane, items, slice, coalesce(created, time), options, data from entry where id = $1::uuid",
          [id.uuid])
        guard let row = rows.first,
          let lane = queue.lane(row[0]),
          let count = row[1].flatMap({ Int($0) })
        else { throw Fault(.inputOutput, "\(id.text): its entry is gone") }
        let slice = row[2].flatMap { Int($0) }
        let entry = NewEntry(
          id: id, priority: lane, ids: slice.map { (count, $0) },
          created: Instant(microseconds: row[3].flatMap { Int64($0) } ?? 0),
          options: row[4].map { Array($0.utf8) })
        let items = start..<index
        try Array((row[5] ?? "").utf8).withUnsafeBufferPointer { (data) throws(Fault) -> Void in
          try visit(StoredEntry(entry: entry, data: UnsafeRawBufferPointer(data)), items)
        }
      }
    }
  }
#endif
