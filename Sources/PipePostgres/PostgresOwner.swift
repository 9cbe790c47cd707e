#if Postgres
  internal import Glibc
  internal import PipeIO
  internal import PipeTime

  /// The connection of a claimer. The session's lock of an owner number holds its claims: if this process is
  /// killed, they end with the connection, unless a command that inherited the socket still runs.
  final class PostgresOwner {
    private let queue: PostgresQueue
    private(set) var number: Int?
    /// The socket, kept open for commands to inherit.
    private(set) var socket: Int32?
    /// Claims that are not settled.
    var outstanding = 0
    /// When the server last answered.
    private var heard = Clock.steady()
    /// Whether the server may give the claims to others.
    private(set) var isFenced = false
    /// Whether the last answer is that of a question that was asked twice: the first may have had its effect.
    private(set) var isRepeated = false

    /// How long the owners of a run of the server that has ended have to come back.
    static let grace: TimeSpan = .seconds(15)

    init(_ queue: PostgresQueue) { self.queue = queue }

    deinit { if let socket { close(socket) } }

    /// Takes an owner number if this process has none.
    func begin() throws(Fault) -> Int {
      if let number { return number }
      let text = try queue.session.value("select nextval('owner')")
      try queue.session.query(
        "select pg_advisory_lock(lock_key(), $1::int), set_config('pipe.owner', $1::int::text, false)",
        [text])
      keepSocket()
      guard let own = Int(text) else { throw Fault(.bug, "owner \(text)") }
      number = own
      return own
    }

    private func keepSocket() {
      if let socket { close(socket) }
      socket = fcntl(queue.session.fd, F_DUPFD_CLOEXEC, 3)
    }

    /// Asks the server; if the connection is lost, comes back first and asks again. `ifLost`: what to ask instead,
    /// provided that the owner number is still ours; otherwise there are no rows.
    func ask(
      _ text: String, _ values: [String?] = [], ifLost: (() throws(Fault) -> [[String?]])? = nil
    ) throws(Fault) -> [[String?]] {
      isRepeated = false
      do throws(Fault) {
        let rows = try queue.session.query(text, values)
        heard = Clock.steady()
        return rows
      } catch {
        guard queue.session.isBroken || error.kind == .unavailable else { throw error }
        try comeBack(error)
        isRepeated = true
        guard let ifLost else { return try queue.session.query(text, values) }
        return number == nil ? [] : try ifLost()
      }
    }

    func value(_ text: String, _ values: [String?] = []) throws(Fault) -> String {
      try ask(text, values).first?.first.flatMap { $0 } ?? ""
    }

    /// Connects again and takes the same owner number, so that the claims survive a restart of the server.
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
      guard let number else { return }
      let isOurs = try queue.session.value(
        "select pg_try_advisory_lock(lock_key(), $1::int) from set_config('pipe.owner', $1::int::text, false)",
        ["\(number)"])
      if isOurs == "t" { return keepSocket() }
      // The server still believes in the connection before; what it holds comes back when it no longer does.
      isFenced = outstanding > 0
      self.number = nil
      if isFenced { throw reason }
    }

    /// When to ask the server whether it still hears this process, while claims are outstanding.
    var checkDeadline: SteadyInstant? {
      outstanding > 0 && !isFenced ? heard + queue.lost / 4 : nil
    }

    /// Asks if it is time to. A server that does not answer may soon give the claims away.
    func checkIfDue() throws(Fault) {
      guard let checkDeadline, Clock.steady() >= checkDeadline else { return }
      let patience = queue.session.patience
      queue.session.patience = queue.lost / 4
      defer { queue.session.patience = patience }
      _ = try ask("select")
    }
  }
#endif
