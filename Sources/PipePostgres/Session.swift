#if Postgres
  internal import CLibPQ
  internal import Glibc
  internal import PipeIO
  internal import PipeTime

  /// A connection to the server. All answers come as text; each question has a time within which its answer
  /// must begin to arrive.
  final class Session {
    private var connection: OpaquePointer?
    private let address: Address
    private let name: String
    private let force: Bool
    /// The server said that it no longer waits for a standby: the outcome of the commit is unknown.
    private var isWaitCancelled = false

    /// The longest wait for an answer.
    var patience: TimeSpan

    /// `name`: of the queue, for messages.
    init(_ address: Address, name: String, force: Bool) throws(Fault) {
      self.address = address
      self.name = name
      self.force = force
      patience = .seconds(60)
      try connect()
    }

    /// The level of synchronous_commit for a flush: the server's own, but at least `on`.
    private var level = "on"
    /// Whether commits wait for a standby.
    private(set) var isReplicated = false
    /// Whether the session holds the lock of an owner: then only the owner may connect again.
    var isOwned = false
    /// Who holds the claims of this session, for other processes.
    private static let holder = "pipe: process \(getpid()) on \(hostName)"

    var fd: Int32 { PQsocket(connection) }

    /// Whether the connection is known to be lost.
    var isBroken: Bool { isSilent || PQstatus(connection) != CONNECTION_OK }

    /// A question was not answered in time; its answer may still come, so nothing else can be asked.
    private var isSilent = false

    /// What waits at the socket of this session.
    protocol Listener: AnyObject {
      /// The connection is about to end.
      func leave()
      /// The session has connected.
      func listen() throws(Fault)
      /// A notification came, perhaps with an answer: the socket no longer shows it. nil: the connection is lost.
      func note(_ channel: String?)
    }

    private struct Weak { weak var listener: (any Listener)? }
    private var listeners: [Weak] = []

    func add(_ listener: any Listener) {
      listeners.removeAll { $0.listener == nil }
      listeners.append(Weak(listener: listener))
    }

    /// Seconds for an attempt to connect again to one host.
    static let attempt = 2

    /// How long an attempt to connect again may take.
    var longestAttempt: TimeSpan { .seconds(Int64(Session.attempt * address.hosts)) }

    /// How long the server believes in a silent connection.
    private(set) var lost: TimeSpan = .seconds(40)

    /// Agrees on the silence after which the server gives up a connection.
    func agree(on lost: TimeSpan) throws(Fault) {
      self.lost = lost
      try setKeepalives()
    }

    private func setKeepalives() throws(Fault) {
      // Rounded up: the server must not give up before the client has ended its commands.
      let seconds = { (part: Int64) in "\((self.lost.microseconds / part + 999_999) / 1_000_000)" }
      _ = try query(
        """
        select set_config('tcp_keepalives_idle', $1, false), set_config('tcp_keepalives_interval', $2, false),
          set_config('tcp_keepalives_count', '4', false), set_config('tcp_user_timeout', $3, false)
        """, [seconds(2), seconds(8), "\(lost.microseconds / 1000)"])
    }

    /// Connects, or connects again. Locks and listeners of the connection before are gone.
    func connect() throws(Fault) {
      let isAgain = connection != nil
      isSilent = false
      if let connection {
        for one in listeners { one.listener?.leave() }
        PQfinish(connection)
      }
      let options = [
        "dbname": address.server, "client_encoding": "UTF8",
        "fallback_application_name": Session.holder,
        // libpq's shortest: while it connects again, the server's patience runs out.
        "connect_timeout": isAgain ? "\(Session.attempt)" : "5", "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "2", "tcp_user_timeout": "10000",
      ]
      connection = Session.open(options)
      guard !isBroken else {
        throw Fault(.unavailable, "\(printable(name)): \(message)")
      }
      let itself = Unmanaged.passUnretained(self).toOpaque()
      PQsetNoticeReceiver(connection, { Session.note($0, $1) }, itself)
      _ = try query(
        """
        select set_config(name, value, false) from (values ('synchronous_commit', 'off'), ('jit', 'off'),
          ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),
          ('client_connection_check_interval', '10000'), ('lock_timeout', '0'), ('idle_session_timeout', '0'),
          ('default_transaction_isolation', 'read committed'), ('search_path', quote_ident($1))) s(name, value)
          where exists (select from pg_settings p where p.name = s.name)
        """, [address.schema])
      let own = try query(
        """
        select reset_val, current_setting('synchronous_standby_names') <> ''
          from pg_settings where name = 'synchronous_commit'
        """)[0]
      level = own[0] == "remote_apply" ? "remote_apply" : "on"
      isReplicated = own[1] == "t"
      if !force { try refuse() }
      if isAgain {
        try setKeepalives()
        for one in listeners {
          try one.listener?.listen()
          // The new connection missed the notifications that came before it.
          one.listener?.note(nil)
        }
      }
    }

    /// Waits until all that was committed before is on the disks that the server asks for. Sessions that wait at
    /// once share one flush.
    func flush() throws(Fault) {
      do throws(Fault) {
        try script(
          """
          begin; set local synchronous_commit = \(level);
          select pg_logical_emit_message(true, 'pipe', ''); commit
          """)
      } catch {
        if !isBroken { try? script("rollback") }
        throw error
      }
    }

    private static func open(_ options: [String: String]) -> OpaquePointer? {
      let pairs = options.sorted { $0.key < $1.key }
      let keys = pairs.map { strdup($0.key) }
      let values = pairs.map { strdup($0.value) }
      defer { for text in keys + values { free(text) } }
      var keyList = keys.map { UnsafePointer($0) } + [nil]
      var valueList = values.map { UnsafePointer($0) } + [nil]
      return PQconnectdbParams(&keyList, &valueList, 1)
    }

    // What cannot keep the promises of a queue.
    private func refuse() throws(Fault) {
      let row = try query(
        """
        select version(), current_setting('server_version_num')::int >= 130000, current_setting('fsync'),
          current_setting('full_page_writes'), pg_encoding_to_char(encoding), pg_backend_pid(),
          version() ~ 'Cockroach|-YB-|Greenplum'
          from pg_database where datname = current_database()
        """)[0]
      let version = row[0] ?? ""
      if !version.hasPrefix("PostgreSQL ") || row[1] != "t" || row[6] != "f" {
        throw refused("\(version) is not PostgreSQL 13 or newer")
      }
      if row[2] != "on" || row[3] != "on" {
        throw refused(
          "the server runs with fsync or full_page_writes off and loses data in a crash")
      }
      if row[4] != "UTF8" {
        throw refused("the encoding of the database is \(row[4] ?? ""), not UTF8")
      }
      if row[5] != "\(PQbackendPID(connection))" {
        throw refused("a pooler is in between, which gives the locks of one client to another")
      }
    }

    private func refused(_ why: String) -> Fault {
      Fault(.settings, "\(printable(name)): \(printable(why)) (--force uses it anyway)")
    }

    /// Asks, and returns the rows; nil for NULL.
    @discardableResult
    func query(_ text: String, _ values: [String?] = []) throws(Fault) -> [[String?]] {
      try query(text, parameters: values.map { $0.map { Array($0.utf8CString) } })
    }

    /// Asks with parameters that end in a NUL.
    func query(_ text: String, parameters: [[CChar]?]) throws(Fault) -> [[String?]] {
      let result = try run(text, parameters)
      defer { PQclear(result) }
      let columns = PQnfields(result)
      return (0..<PQntuples(result)).map { row in
        (0..<columns).map { column in
          PQgetisnull(result, row, column) == 1
            ? nil : String(cString: PQgetvalue(result, row, column))
        }
      }
    }

    /// Asks what changes nothing; connects again, once, if the connection is lost.
    func read(_ text: String, _ values: [String?] = []) throws(Fault) -> [[String?]] {
      do throws(Fault) { return try query(text, values) } catch {
        guard isBroken, !isOwned else { throw error }
        try connect()
        return try query(text, values)
      }
    }

    func readValue(_ text: String, _ values: [String?] = []) throws(Fault) -> String {
      try read(text, values).first?.first.flatMap { $0 } ?? ""
    }

    /// The answer to a question of one value.
    func value(_ text: String, _ values: [String?] = []) throws(Fault) -> String {
      try query(text, values).first?.first.flatMap { $0 } ?? ""
    }

    /// Runs several statements in one round trip.
    func script(_ text: String) throws(Fault) {
      isWaitCancelled = false
      guard PQsendQuery(connection, text) == 1 else { throw fault(nil) }
      PQclear(try answer())
    }

    private func run(_ text: String, _ parameters: [[CChar]?]) throws(Fault) -> OpaquePointer? {
      isWaitCancelled = false
      let copies = parameters.map {
        $0.flatMap { $0.withUnsafeBufferPointer { strdup($0.baseAddress!) } }
      }
      defer { for copy in copies { free(copy) } }
      let list = copies.map { UnsafePointer($0) }
      let isSent = PQsendQueryParams(connection, text, Int32(list.count), nil, list, nil, nil, 0)
      guard isSent == 1 else { throw fault(nil) }
      return try answer()
    }

    // The last result, or the first error.
    private func answer() throws(Fault) -> OpaquePointer? {
      var failed: Fault?
      var last: OpaquePointer?
      let deadline = Clock.steady() + patience
      while true {
        while PQisBusy(connection) == 1 {
          var poller = Poller()
          let index = poller.watch(PQsocket(connection))
          try poller.wait(until: deadline)
          guard poller.isReady(index) else {
            isSilent = true
            throw silent
          }
          guard PQconsumeInput(connection) == 1 else { throw fault(nil) }
        }
        guard let result = PQgetResult(connection) else { break }
        if let last { PQclear(last) }
        last = result
        let status = PQresultStatus(result)
        if status != PGRES_TUPLES_OK, status != PGRES_COMMAND_OK {
          failed = failed ?? fault(result)
        }
      }
      if let failed {
        PQclear(last)
        throw failed
      }
      if last == nil { throw fault(nil) }
      noteNotifications()
      if isWaitCancelled {
        PQclear(last)
        throw Fault(
          .outcomeUnknown,
          "\(printable(name)): the server stopped waiting for its standby; the outcome is unknown")
      }
      return last
    }

    private var silent: Fault {
      Fault(
        .unavailable,
        "\(printable(name)): the server has not answered for \(patience.microseconds / 1_000_000) s"
      )
    }

    private var message: String {
      let text = String(cString: PQerrorMessage(connection))
      return printable(text.split(separator: "\n").first.map(String.init) ?? "no connection")
    }

    // By the classes of SQLSTATE.
    private func fault(_ result: OpaquePointer?) -> Fault {
      // libpq would say that another command is running.
      if isSilent { return silent }
      guard let result, let code = PQresultErrorField(result, 67 /* PG_DIAG_SQLSTATE */) else {
        return Fault(.unavailable, "\(printable(name)): \(message)")
      }
      let primary = PQresultErrorField(result, 77 /* PG_DIAG_MESSAGE_PRIMARY */)
      let text = primary.map { printable(String(cString: $0)) } ?? message
      let state = String(cString: code)
      if state == "PQ001" {
        return Fault(.tryLater, "\(printable(name)): the queue is full: \(text)")
      }
      if state == "PQ002" {
        return Fault(
          .settings, "\(printable(name)): the entry is too large for this queue: \(text)")
      }
      let kind: Fault.Kind =
        switch state.prefix(2) {
        case "08", "57": .unavailable
        case "53": .tryLater
        case "28": .permission
        case "3D": .notFound
        default: state == "42501" ? .permission : .inputOutput
        }
      return Fault(kind, "\(printable(name)): \(text)")
    }

    private static func note(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
      // By the name of the server's function: texts are translated.
      guard let context,
        let function = PQresultErrorField(result, 82 /* PG_DIAG_SOURCE_FUNCTION */)
      else { return }
      let session = Unmanaged<Session>.fromOpaque(context).takeUnretainedValue()
      if String(cString: function) == "SyncRepWaitForLSN" { session.isWaitCancelled = true }
    }

    /// Reads what has come, and passes notifications to the listeners.
    func takeNotifications() {
      guard PQconsumeInput(connection) == 1 else {
        for one in listeners { one.listener?.note(nil) }
        return
      }
      noteNotifications()
    }

    private func noteNotifications() {
      while let note = PQnotifies(connection) {
        let channel = String(cString: note.pointee.relname)
        for one in listeners { one.listener?.note(channel) }
        PQfreemem(note)
      }
    }

    /// Runs `body` in a transaction, which is not flushed; `isKept`: false undoes it.
    func transaction<Result>(
      isKept: Bool = true, _ body: () throws(Fault) -> Result
    ) throws(Fault) -> Result {
      try query("begin")
      do throws(Fault) {
        let result = try body()
        try query(isKept ? "commit" : "rollback")
        return result
      } catch {
        if !isBroken { _ = try? query("rollback") }
        throw error
      }
    }

    deinit { PQfinish(connection) }
  }

  private let hostName: String = {
    var name = utsname()
    guard uname(&name) == 0 else { return "?" }
    return withUnsafeBytes(of: &name.nodename) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }()
#endif
