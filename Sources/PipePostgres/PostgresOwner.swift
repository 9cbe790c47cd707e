#if Postgres
  internal import Glibc
  internal import PipeIO
  internal import PipeQueue
  internal import PipeTime

  /// The connection of a claimer. The session's lock of an owner number holds its claims: if this process is
  /// killed, they end with the connection, unless a command that inherited the socket still runs.
  final class PostgresOwner {
    private let queue: PostgresQueue
    private(set) var number: Int?
    /// The socket, kept open for commands to inherit.
    private(set) var socket: Int32?
    /// Claims that are not settled.
    var outstanding: Set<BatchID> = [] {
      didSet {
        // With no claims left there is nothing to fence.
        if outstanding.isEmpty, !oldValue.isEmpty { isFenced = false }
      }
    }
    /// Whether a claim was gone after the connection was lost: a crash of the server can undo the last ones.
    private(set) var hadLoss = false
    /// When the server last answered.
    private var heard = Clock.steady()
    /// Whether the server may give the claims to others.
    private(set) var isFenced = false
    /// Whether the last query or flush ran twice, because the connection was lost: the first may have had its effect.
    private(set) var isRepeated = false

    /// Whether it waits for a server that is away as long as it takes, while it holds no claims.
    private let isPatient: Bool

    init(_ queue: PostgresQueue, isPatient: Bool) {
      self.queue = queue
      self.isPatient = isPatient
    }

    deinit { if let socket { close(socket) } }

    /// Takes an owner number if this process has none.
    func begin() throws(Fault) -> Int {
      if let number { return number }
      let text = try value("select nextval('owner')")
      try queue.session.query(
        "select pg_advisory_lock(lock_key(), $1::int), set_config('pipe.owner', $1::int::text, false)",
        [text])
      queue.session.isOwned = true
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
      return try returning { () throws(Fault) in
        guard let ifLost, isRepeated else { return try queue.session.query(text, values) }
        return number == nil ? [] : try ifLost()
      }
    }

    /// How often in a row the connection may be lost.
    private static let mostLosses = 20

    /// Runs `body`, and comes back and runs it again if the connection is lost.
    private func returning<Result>(_ body: () throws(Fault) -> Result) throws(Fault) -> Result {
      var losses = 0
      while true {
        do throws(Fault) {
          let result = try body()
          heard = Clock.steady()
          return result
        } catch {
          losses += 1
          guard queue.session.isBroken || error.kind == .unavailable,
            losses < PostgresOwner.mostLosses
          else { throw error }
          try comeBack(error)
          isRepeated = true
        }
      }
    }

    func value(_ text: String, _ values: [String?] = []) throws(Fault) -> String {
      try ask(text, values).first?.first.flatMap { $0 } ?? ""
    }

    /// Makes what was settled safe. If the connection is lost, the server may have lost some of it; these items
    /// are delivered again, as after a power cut.
    func flush() throws(Fault) {
      isRepeated = false
      try returning { () throws(Fault) in try queue.session.flush() }
    }

    /// How long commands may take to end, with a margin.
    private static let ending: TimeSpan = .seconds(10)

    /// The last moment to begin another attempt to connect. While commands run, there must be time to end them before
    /// the server believes that this host is lost.
    private var lastAttempt: SteadyInstant {
      outstanding.isEmpty || isFenced
        ? Clock.steady() + queue.lost / 4
        : heard + min(5 * queue.lost / 8, queue.lost - PostgresOwner.ending)
          - queue.session.longestAttempt
    }

    /// Connects again and takes the same owner number, so that the claims survive a restart of the server.
    private func comeBack(_ reason: Fault) throws(Fault) {
      let isPatient = isPatient && outstanding.isEmpty
      let last = isPatient ? .distantFuture : lastAttempt
      do throws(Fault) {
        guard Clock.steady() < last else { throw reason }
        try queue.comeBack(until: last, isWorking: !outstanding.isEmpty, reason)
      } catch {
        isFenced = !outstanding.isEmpty
        throw error
      }
      heard = Clock.steady()
      guard let number else { return }
      let count: String
      do throws(Fault) {
        count = try queue.session.value(
          "select return_1($1::int, $2::uuid[]) from set_config('pipe.owner', $1::int::text, false)",
          ["\(number)", array(outstanding.map(\.uuid))])
      } catch {
        // The next question comes back again.
        if queue.session.isBroken { return }
        throw error
      }
      keepSocket()
      // A claim that is gone may be another process's by now.
      if Int(count) != outstanding.count, !outstanding.isEmpty {
        (isFenced, hadLoss) = (true, true)
      }
      if count == "-1" { self.number = nil }
    }

    /// When to ask the server whether it still hears this process, while claims are outstanding.
    var checkDeadline: SteadyInstant? {
      !outstanding.isEmpty && !isFenced ? heard + queue.lost / 5 : nil
    }

    var connection: Int32? { outstanding.isEmpty || isFenced ? nil : queue.session.fd }

    func checkConnection() throws(Fault) {
      queue.session.takeNotifications()
      if queue.session.isBroken { _ = try ask("select") }
    }

    /// Asks if it is time to. A server that does not answer may soon give the claims away.
    func checkIfDue() throws(Fault) {
      guard let checkDeadline, Clock.steady() >= checkDeadline else { return }
      let patience = queue.session.patience
      queue.session.patience = queue.lost / 5
      defer { queue.session.patience = patience }
      _ = try ask("select")
    }
  }
#endif
