#if Postgres
  package import PipeIO
  package import PipeQueue
  package import PipeTime

  extension PostgresQueue {
    /// nil if no entry has this id.
    package func status(_ id: EntryID) throws(Fault) -> EntryStatus? {
      guard
        let entry = try session.read(
          "select slice, data, coalesce(created, time) from entry where id = $1::uuid", [id.uuid]
        ).first
      else { return nil }
      let rows = try session.read(
        "select state, attempt from states_1($1::uuid) order by item", [id.uuid])
      let items = rows.map { row -> EntryStatus.Item in
        let attempts = row[1].flatMap { Int($0) } ?? 0
        return switch row[0] {
        case "done": .done
        case "dead", "dropped": .dead
        case "claimed": .claimed(attempts: attempts)
        default: .waiting(attempts: attempts)
        }
      }
      let slice = entry[0].flatMap { Int($0) }
      let ids =
        slice == nil
        ? [] : (entry[1] ?? "").dropFirst().dropLast().split(separator: ",").map(String.init)
      return EntryStatus(
        id, created: instant(entry[2]), slice: slice ?? 1, ids: ids, items: items)
    }

    func lane(_ text: String?) -> Lane? {
      text.flatMap { UInt8($0) }.flatMap(Lane.init(rawValue:))
    }

    func instant(_ text: String?) -> Instant {
      Instant(microseconds: text.flatMap { Int64($0) } ?? 0)
    }

    package func census() throws(Fault) -> [LaneCensus] {
      let counts = try session.read(
        "select entries, items, ready, claimed, later, dead from census_1() order by lane")
      let waiting = try waiting()
      return zip(zip(Lane.allCases, counts), try oldest(waiting)).map { counted, oldest in
        let (lane, row) = counted
        let numbers = row.map { $0.flatMap { Int($0) } ?? 0 }
        return LaneCensus(
          entries: numbers[0], items: numbers[1], ready: numbers[2], claimed: numbers[3],
          later: numbers[4], dead: numbers[5], oldestReady: oldest.ready,
          oldestWaiting: oldest.waiting, waiting: waiting[lane, default: []])
      }
    }

    // By lane, the numbers of the waiting items. Adjacent ranges are joined by the server: there may be one for each
    // delayed entry.
    private func waiting() throws(Fault) -> [Lane: [Range<Int>]] {
      let rows = try session.read(
        """
        with alive as materialized (select living() as owners),
          part as (select s.lane, s.first, s.last from span s, alive
              where not is_held(s.state, s.due, s.owner, alive.owners)
            union all select lane, first, last from later
            union all select h.lane, h.number, e.number + e.items from head h, lateral (
              select * from entry q where q.lane = h.lane order by q.number desc limit 1) e
              where e.number + e.items > h.number),
          run as (select *, lag(last) over w is distinct from first as begins from part window w as (
            partition by lane order by first)),
          numbered as (select *, count(*) filter (where begins) over (partition by lane order by first) as nth from run)
        select lane, min(first), max(last) from numbered group by lane, nth order by 1, 2
        """)
      var found: [Lane: [Range<Int>]] = [:]
      for row in rows {
        guard let lane = lane(row[0]), let first = row[1].flatMap({ Int($0) }),
          let end = row[2].flatMap({ Int($0) }), first < end
        else { continue }
        found[lane, default: []].append(first..<end)
      }
      return found
    }

    // When the first ready and the first waiting item of each lane were accepted. Times never decrease within a
    // lane, so the first item is the oldest.
    private func oldest(
      _ waiting: [Lane: [Range<Int>]]
    ) throws(Fault) -> [(ready: Instant?, waiting: Instant?)] {
      let first = Lane.allCases.map { waiting[$0]?.first.map { "\($0.lowerBound)" } }
      return try session.read(
        """
        with clock as materialized (select living() as alive, micros() as at)
        select (select e.time from entry e where e.lane = h.lane and e.number <= f.ready order by e.number desc limit 1),
          (select e.time from entry e where e.lane = h.lane and e.number <= ($1::bigint[])[h.lane + 1]
            order by e.number desc limit 1)
          from head h, clock c, lateral (select least(
              (select min(s.first) from span s
                where s.lane = h.lane and not is_held(s.state, s.due, s.owner, c.alive)),
              (select min(s.first) from later s where s.lane = h.lane and s.due <= c.at),
              (select greatest(e.number, h.number) from entry e
                where e.lane = h.lane and e.number + e.items > h.number and e.number >= coalesce(
                  (select q.number from entry q where q.lane = h.lane and q.number <= h.number
                    order by q.number desc limit 1), h.number)
                and coalesce(e.not_before, 0) <= c.at order by e.number limit 1)) as ready) f
          order by h.lane
        """, [array(first)]
      ).map { row in (row[0].map { instant($0) }, row[1].map { instant($0) }) }
    }

    package func total(_ counter: Counter) throws(Fault) -> Int {
      Int(try session.readValue("select value from counter where name = $1", [counter.rawValue]))
        ?? 0
    }

    package func count(_ counter: Counter, _ amount: Int) throws(Fault) {
      try session.query("select count_1($1, $2::bigint)", [counter.rawValue, "\(amount)"])
    }

    /// Calls `body` with each dead letter, lane by lane in order, until it returns false.
    package func deadLetters(_ body: (DeadLetter) throws(Fault) -> Bool) throws(Fault) {
      for letter in try letters("true", []) where try !body(letter) { return }
    }

    /// nil if no entry has this id.
    package func deadLetters(of id: EntryID) throws(Fault) -> [DeadLetter]? {
      if try session.read("select from entry where id = $1::uuid", [id.uuid]).isEmpty {
        return nil
      }
      return try letters("e.id = $1::uuid", [id.uuid])
    }

    private func letters(_ condition: String, _ values: [String?]) throws(Fault) -> [DeadLetter] {
      let rows = try session.read(
        """
        select e.id, d.number - e.number + 1, d.lane, d.history, encode(d.stderr, 'hex'),
            case when e.slice is null then e.data else
              (string_to_array(substr(e.data, 2, length(e.data) - 2), ','))[d.number - e.number + 1] end
          from dead d join lateral (select * from entry q where q.lane = d.lane and q.number <= d.number
            order by q.number desc limit 1) e on true
          where not d.dropped and \(condition) order by d.lane, d.number
        """, values)
      return rows.compactMap { row in
        guard let id = row[0].flatMap({ EntryID(uuid: $0) }),
          let index = row[1].flatMap({ Int($0) }),
          let lane = self.lane(row[2])
        else { return nil }
        return DeadLetter(
          entry: id, index: index, priority: lane, data: Array((row[5] ?? "").utf8),
          history: AttemptText.attempts(row[3] ?? ""), stderr: bytes(row[4] ?? ""))
      }
    }

    func bytes(_ hex: String) -> [UInt8] {
      let digits = hex.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
      return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    package func revive(_ id: EntryID) throws(Fault) -> Int { try change("revive_1", id) }

    package func drop(_ id: EntryID) throws(Fault) -> Int { try change("drop_1", id) }

    private func change(_ function: String, _ id: EntryID) throws(Fault) -> Int {
      let count = Int(try session.value("select \(function)($1::uuid)", [id.uuid])) ?? 0
      try session.flush()
      try? notify(.ready)
      return count
    }

    package func pause(until: Instant?, reason: String) throws(Fault) {
      try session.query(
        "update format set paused_since = micros(), paused_until = $1::bigint, pause_reason = $2",
        [until.map { "\($0.microseconds)" }, reason])
      try session.flush()
    }

    /// Ends a pause. Returns whether there was one.
    package func resume() throws(Fault) -> Bool {
      let was = try pauseNow()
      try session.query(
        "update format set paused_since = null, paused_until = null, pause_reason = null")
      try session.flush()
      try? notify(.ready)
      return was != nil
    }

    package func pauseNow() throws(Fault) -> Pause? {
      let row = try session.read(
        """
        select paused_since, paused_until, pause_reason from format
          where paused_since is not null and (paused_until is null or paused_until > micros())
        """
      ).first
      guard let row else { return nil }
      return Pause(
        since: instant(row[0]),
        until: row[1].flatMap { Int64($0) }.map(Instant.init(microseconds:)),
        reason: row[2] ?? "")
    }
  }
#endif
