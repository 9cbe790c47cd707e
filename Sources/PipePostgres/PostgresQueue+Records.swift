#if Postgres
  package import PipeIO
  package import PipeQueue
  package import PipeTime

  // Statistics, kept outputs, and what completions show.
  extension PostgresQueue {
    /// Calls `body` with everything settled at `since` or later; nil: everything.
    package func recordings(
      since: Instant?, at now: Instant, _ body: (Recording) -> Void
    ) throws(Fault) {
      let rows = try session.read("select line from settled order by place")
      StatsLines(rows.map { $0[0] ?? "" }, at: now, retain: settings.retain)
        .recordings(from: since ?? .distantPast, body)
    }

    /// Rows of statistics that are summed up at once.
    private static let mostLines = 10_000

    /// Sums up the lines of statistics if there are many and no other process does.
    func foldStatistics() throws(Fault) {
      let isMany = try session.readValue(
        "select coalesce(max(place) - min(place), 0) > \(PostgresQueue.mostLines) from settled")
      guard isMany == "t" else { return }
      try session.transaction { () throws(Fault) in
        guard try session.value("select pg_try_advisory_xact_lock(lock_key(), 7)") == "t" else {
          return
        }
        let rows = try session.query("select place, line from settled order by place")
        let lines = StatsLines(
          rows.map { $0[1] ?? "" }, at: Clock.now(), retain: settings.retain)
        // Not up to the last place: a line with a lower one may not be committed yet.
        try session.query(
          "delete from settled where place = any ($1::bigint[])", [array(rows.map { $0[0] })])
        try session.query(
          "insert into settled (line) select x from unnest($1::text[]) x", [array(lines.compacted)])
      }
    }

    /// The outputs of an entry, by item number within it from 1, in order of time; nil if there is no such entry.
    package func outputs(
      of id: EntryID
    ) throws(Fault) -> [(items: ClosedRange<Int>, output: AttemptOutput)]? {
      guard
        let entry = try session.read(
          "select number, items from entry where id = $1::uuid", [id.uuid]
        ).first, let number = entry[0].flatMap({ Int($0) }),
        let items = entry[1].flatMap({ Int($0) })
      else { return nil }
      let rows = try session.read(
        "select lane, encode(record, 'hex') from outputs_1($1::uuid)", [id.uuid])
      return rows.compactMap { row in
        guard let lane = self.lane(row[0]),
          let (numbers, output) = AttemptOutput.record(bytes(row[1] ?? ""), lane)
        else { return nil }
        let own = numbers.clamped(to: number..<(number + items))
        let first = own.lowerBound - number + 1
        return (first...(first + own.count - 1), output)
      }.sorted { $0.output.ended < $1.output.ended }
    }

    private static let recentEntries = 10_000

    /// Entries whose ids begin with `prefix`, the newest first.
    package func recent(
      _ choice: RecentChoice, prefix: String, most: Int
    ) throws(Fault) -> [RecentEntry] {
      let condition =
        switch choice {
        case .any: "true"
        case .waiting:
          "exists (select from states_1(e.id) s where s.state in ('ready', 'again', 'later'))"
        case .tried:
          "exists (select from states_1(e.id) s where s.state <> 'ready' and s.state <> 'later')"
        case .dead: "exists (select from states_1(e.id) s where s.state = 'dead')"
        }
      let rows = try session.read(
        """
        select id, lane, time, left(data, 60) from (
          select * from entry order by id desc limit \(PostgresQueue.recentEntries)) e where \(condition)
        """)
      var found: [RecentEntry] = []
      for row in rows {
        guard found.count < most, let id = row[0].flatMap({ EntryID(uuid: $0) }),
          id.text.hasPrefix(prefix),
          let lane = self.lane(row[1])
        else { continue }
        let start = Array((row[3] ?? "").utf8.prefix(60))
        found.append(RecentEntry(id, lane, time: instant(row[2]), start: start))
      }
      return found
    }

    package func recentTags() throws(Fault) -> [String] {
      var tags: [String] = []
      try recordings(since: Clock.now() - .minutes(60), at: Clock.now()) { recording in
        if let tag = recording.tag, !tags.contains(tag) { tags.append(tag) }
      }
      return tags.sorted()
    }
  }

  /// A failed attempt in a history, after its number: `STARTED ENDED EXIT SIGNAL REASON`.
  enum AttemptText {
    static func line(_ failure: Failure, _ started: Instant?, _ ended: Instant) -> String {
      let exit = failure.exitStatus.map { "\($0)" } ?? "-"
      let signal = failure.signal.map { "\($0)" } ?? "-"
      // By bytes: "\r\n" is one character.
      var bytes: [UInt8] = []
      for byte in failure.reason.utf8 {
        switch byte {
        case UInt8(ascii: "\\"): bytes += Array("\\\\".utf8)
        case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
        case 0: bytes += Array("\\0".utf8)
        default: bytes.append(byte)
        }
      }
      let reason = String(decoding: bytes, as: UTF8.self)
      return
        "\(started.map { "\($0.microseconds)" } ?? "-") \(ended.microseconds) \(exit) \(signal) \(reason)"
    }

    private static func unescaped(_ text: String) -> String {
      var plain: [UInt8] = []
      var isEscaped = false
      for byte in text.utf8 {
        if isEscaped {
          plain.append(
            byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte == UInt8(ascii: "0") ? 0 : byte)
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else {
          plain.append(byte)
        }
      }
      return String(decoding: plain, as: UTF8.self)
    }

    /// The attempts of a history, in order.
    static func attempts(_ history: String) -> [Attempt] {
      history.utf8.split(separator: UInt8(ascii: "\n")).compactMap { line in
        let parts = line.split(
          separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false
        ).map { String(Substring($0)) }
        guard parts.count == 6, let number = Int(parts[0]), let ended = Int64(parts[2]) else {
          return nil
        }
        return Attempt(
          number: number, started: Int64(parts[1]).map(Instant.init(microseconds:)),
          ended: Instant(microseconds: ended), exitStatus: Int32(parts[3]), signal: Int32(parts[4]),
          reason: unescaped(parts[5]))
      }
    }
  }
#endif
