#if Postgres
  internal import Glibc
  package import PipeIO
  package import PipeQueue
  package import PipeTime

  /// A queue in a schema of PostgreSQL.
  package final class PostgresQueue {
    /// The address as it was given.
    package let path: String
    package let settings: Settings
    package let report: (String) -> Void
    package private(set) var isNew = false
    let session: Session
    /// How long a host may be silent before others get its claims.
    var lost: TimeSpan { settings.lost ?? .seconds(40) }

    /// Opens an existing queue.
    package convenience init(
      path: String, force: Bool = false, report: @escaping (String) -> Void = { _ in }
    ) throws(Fault) {
      let session = try Session(try Address(path), name: path, force: force)
      try self.init(path, session, report)
    }

    private init(
      _ path: String, _ session: Session, _ report: @escaping (String) -> Void
    ) throws(Fault) {
      guard try session.value("select to_regclass('format') is not null") == "t" else {
        throw Fault(
          .notFound, "\(printable(path)): no such queue; pipe init or pipe enqueue creates one")
      }
      let version = try session.value("select version from format")
      guard let number = Int(version), number <= PostgresQueue.version else {
        throw Fault(.settings, "\(printable(path)): has format \(version), newer than this pipe")
      }
      settings = try PostgresQueue.settings(session)
      self.path = path
      self.session = session
      self.report = report
      try session.agree(on: lost)
      try session.query("select arrive_1()")
    }

    static let version = 1

    /// Opens the queue, and creates it first if there is none. `change` edits its settings.
    package static func create(
      path: String, force: Bool = false, report: @escaping (String) -> Void = { _ in },
      change: ((inout Settings) -> Void)? = nil
    ) throws(Fault) -> PostgresQueue {
      let address = try Address(path)
      let session = try Session(address, name: path, force: force)
      var isNew = false
      if try session.value("select to_regclass('format') is null") == "t" {
        isNew = try make(address, session)
      }
      if let change {
        var settings = try self.settings(session)
        change(&settings)
        if settings.promoteAfter != nil {
          throw Fault(.usage, "--promote-after: not available for a queue in PostgreSQL")
        }
        if settings.minFree != Settings().minFree {
          throw Fault(.usage, "--min-free: the disk is the server's; use --max-bytes")
        }
        try put(settings, session)
      }
      let queue = try PostgresQueue(path, session, report)
      queue.isNew = isNew
      return queue
    }

    // Returns false if another process was first.
    private static func make(_ address: Address, _ session: Session) throws(Fault) -> Bool {
      try session.transaction { () throws(Fault) in
        try session.query(
          "select pg_advisory_xact_lock(hashtext('pipe'), hashtext($1))", [address.schema])
        try session.query("set local synchronous_commit = on")
        if try session.value("select to_regclass('format') is not null") == "t" { return false }
        try session.query("create schema if not exists \"\(address.schema)\"")
        try session.script(String(decoding: PackageResources.queue_sql, as: UTF8.self))
        return true
      }
    }

    private static func settings(_ session: Session) throws(Fault) -> Settings {
      let row = try session.query(
        """
        select slice, retries, backoff, backoff_most, retain, max_items, max_bytes, promote_after, lost
          from format
        """)[0]
      let span = { (index: Int) in
        row[index].flatMap { Int64($0) }.map(TimeSpan.init(microseconds:))
      }
      var settings = Settings()
      settings.slice = row[0].flatMap { Int($0) } ?? settings.slice
      settings.retries = row[1].flatMap { Int($0) } ?? settings.retries
      settings.backoff = Backoff(base: span(2) ?? .zero, most: span(3) ?? .zero)
      settings.retain = span(4) ?? settings.retain
      settings.maxItems = row[5].flatMap { Int($0) }
      settings.maxBytes = row[6].flatMap { Int($0) }
      settings.promoteAfter = span(7)
      settings.lost = span(8)
      return settings
    }

    /// Grants a role the privileges that its commands need; see `QueueRole`. Every command notes the run of the
    /// server when it opens the queue.
    package func grant(_ kind: QueueRole, to role: String) throws(Fault) {
      let known = try session.query(
        "select quote_ident(rolname), quote_ident(current_schema()) from pg_roles where rolname = $1",
        [role])
      guard let row = known.first, let name = row[0], let schema = row[1] else {
        throw Fault(.notFound, "\(printable(path)): the server has no role \(printable(role))")
      }
      let tables = "on all tables in schema \(schema)"
      let arrival = ["insert on run", "insert, update on epoch", "usage, update on sequence owner"]
      let privileges =
        switch kind {
        case .reader: ["select " + tables] + arrival
        case .producer:
          ["select " + tables, "insert on entry", "insert, update on counter"] + arrival
        case .consumer:
          [
            "select, insert, update, delete " + tables,
            "usage, update on all sequences in schema \(schema)",
          ]
        }
      try session.transaction { () throws(Fault) in
        for privilege in ["usage on schema \(schema)"] + privileges {
          try session.query("grant \(privilege) to \(name)")
        }
      }
      try session.flush()
    }

    private static func put(_ settings: Settings, _ session: Session) throws(Fault) {
      try session.query(
        """
        update format set slice = $1::int, retries = $2::int, backoff = $3::bigint, backoff_most = $4::bigint,
          retain = $5::bigint, max_items = $6::bigint, max_bytes = $7::bigint, promote_after = $8::bigint,
          lost = coalesce($9::bigint, lost)
        """,
        [
          "\(settings.slice)", "\(settings.retries)", "\(settings.backoff.base.microseconds)",
          "\(settings.backoff.most.microseconds)", "\(settings.retain.microseconds)",
          settings.maxItems.map { "\($0)" }, settings.maxBytes.map { "\($0)" },
          settings.promoteAfter.map { "\($0.microseconds)" },
          settings.lost.map { "\($0.microseconds)" },
        ])
      try session.flush()
    }

    package var isRemoved: Bool { false }

    private static let pause: TimeSpan = .milliseconds(200)

    /// Connects again, at least once, and then until a time or a signal to stop. `reason`: why the connection is lost.
    /// `isWorking`: only a second signal ends the wait.
    package func comeBack(
      until last: SteadyInstant, isWorking: Bool = false, _ reason: Fault
    ) throws(Fault) {
      var isReported = false
      while true {
        do throws(Fault) {
          try session.connect()
          try session.query("select arrive_1()")
          if isReported { report("\(printable(path)): the server is back") }
          return
        } catch {
          guard error.kind == .unavailable, Clock.steady() < last else { throw reason }
          if !isReported {
            report("\(reason.text); waiting for the server")
            isReported = true
          }
        }
        Stops.pause(PostgresQueue.pause)
        guard Stops.signals.count < (isWorking ? 2 : 1) else {
          throw Fault(.unavailable, reason.text, code: EINTR)
        }
      }
    }

    /// Whether both are the same queue, whatever their addresses.
    package func isSame(as other: PostgresQueue) -> Bool {
      path == other.path || (identity != nil && identity == other.identity)
    }

    /// The run of the server, the database and the schema.
    private var identity: String? {
      try? session.value(
        """
        select extract(epoch from pg_postmaster_start_time()) || ' ' || oid || ' ' || lock_key() from pg_database
          where datname = current_database()
        """)
    }

    enum Channel: Int {
      /// A process waits for ready items, or for settlements.
      case ready = 3
      case settled = 4
    }

    /// Wakes the processes that wait at a channel, if there are any.
    func notify(_ channel: Channel) throws(Fault) {
      let name = "pipe_\(channel)"
      let key = "(lock_key(), \(channel.rawValue))"
      try session.query(
        """
        select case when pg_try_advisory_lock\(key) then pg_advisory_unlock\(key)
          else pg_notify('\(name)_' || lock_key(), '') is null end
        """)
    }
  }

  /// `postgres://[user@]host[:port][,host2…]/DATABASE/QUEUE[?parameters of libpq]`: the queue is a schema.
  struct Address {
    /// The address without the queue, as libpq takes it.
    let server: String
    let schema: String
    /// The number of hosts that libpq tries.
    let hosts: Int

    init(_ text: String) throws(Fault) {
      let wrong = "\(printable(text)): is not postgres://[HOST]/DATABASE/QUEUE"
      guard let start = text.range(of: "://")?.upperBound else { throw Fault(.usage, wrong) }
      let end = text[start...].firstIndex(of: "?") ?? text.endIndex
      let parts = text[start..<end].split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 3, !parts[1].isEmpty, !parts[2].isEmpty else {
        throw Fault(.usage, wrong)
      }
      if parts[0].prefix(while: { $0 != "@" }).contains(":"), parts[0].contains("@") {
        throw Fault(
          .usage, "an address with a password shows it to all users of this machine; use ~/.pgpass")
      }
      // libpq takes the name of a parameter with %-escapes.
      let parameters = text[end...].dropFirst().split(separator: "&").map {
        String($0.prefix { $0 != "=" })
      }
      if parameters.contains(where: { $0 == "password" || $0.contains("%") }) {
        throw Fault(
          .usage, "an address with a password shows it to all users of this machine; use ~/.pgpass")
      }
      guard parts[2].utf8.count < 64, parts[2].allSatisfy(Address.isPlain) else {
        throw Fault(
          .usage,
          "\(printable(String(parts[2]))): the name of a queue has up to 63 of a-z, 0-9 and _")
      }
      schema = String(parts[2])
      hosts = parts[0].split(separator: ",").count
      server = "postgresql://\(parts[0])/\(parts[1])\(text[end...])"
    }

    private static func isPlain(_ character: Character) -> Bool {
      character.isASCII && (character.isLowercase || character.isNumber || character == "_")
    }
  }

  extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? {
      indices.first { self[$0...].hasPrefix(text) }.map {
        $0..<index($0, offsetBy: text.count)
      }
    }
  }
#endif
