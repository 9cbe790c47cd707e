internal import NIOCore

/// All connections of a server and the memory they hold together. Confined to the event loop.
final class Connections {
  let limits: ConnectionLimits
  /// Decides on a request by its head.
  let admit: @Sendable (Request) -> Admission
  private let handle: @Sendable ([PendingRequest]) -> Void
  let record: (@Sendable (AccessLogEntry) -> Void)?
  private let everySecond: (@Sendable () -> Void)?
  private let notice: @Sendable (String) -> Void
  /// The value of the `date` header, updated each second.
  private(set) var date = HTTPDate.text()
  var isStopping = false
  /// Bytes of unanswered bodies and of large responses not yet taken.
  private(set) var held = 0

  private let loop: any EventLoop
  private var open: [ObjectIdentifier: Connection] = [:]
  private var clock: RepeatedTask?
  /// Requests that arrived in this turn of the event loop.
  private var arrived: [PendingRequest] = []
  /// Connections refused since the last notice.
  private var refused = 0
  private var ended: EventLoopPromise<Void>?

  init(
    _ loop: any EventLoop, _ limits: ConnectionLimits,
    record: (@Sendable (AccessLogEntry) -> Void)?,
    everySecond: (@Sendable () -> Void)?, notice: @escaping @Sendable (String) -> Void,
    admit: @escaping @Sendable (Request) -> Admission,
    _ handle: @escaping @Sendable ([PendingRequest]) -> Void
  ) {
    self.loop = loop
    self.limits = limits
    self.record = record
    self.everySecond = everySecond
    self.notice = notice
    self.admit = admit
    self.handle = handle
  }

  /// False: the server is stopping or the limit is reached, and the connection must be closed.
  func accept() -> Bool {
    if isStopping { return false }
    if open.count < limits.connections { return true }
    refused += 1
    return false
  }

  func add(_ connection: Connection) {
    open[ObjectIdentifier(connection)] = connection
    if clock == nil { startClock() }
  }

  func remove(_ connection: Connection) {
    open[ObjectIdentifier(connection)] = nil
    guard open.isEmpty else { return }
    clock?.cancel()
    clock = nil
    ended?.succeed()
  }

  /// Passes all requests that arrive in one turn of the event loop to the handlers together, at its
  /// end.
  func dispatch(_ pending: PendingRequest) {
    arrived.append(pending)
    guard arrived.count == 1 else { return }
    let all = NIOLoopBound(self, eventLoop: loop)
    loop.execute { all.value.dispatchArrived() }
  }

  private func dispatchArrived() {
    let requests = arrived
    arrived.removeAll(keepingCapacity: true)
    handle(requests)
  }

  /// False: there is no room for that many more bytes.
  func hold(_ bytes: Int) -> Bool {
    if held + bytes > limits.bodies { return false }
    held += bytes
    return true
  }

  var isCrowded: Bool { held > limits.bodies }

  /// Counts a large response until its client has taken it; until then there is less room for
  /// bodies.
  func charge(_ bytes: Int) { held += bytes }

  func release(_ bytes: Int) { held -= bytes }

  // One clock for all connections: with a timer for each, cancelling one would search them all.
  private func startClock() {
    date = HTTPDate.text()
    let all = NIOLoopBound(self, eventLoop: loop)
    clock = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
      all.value.tick()
    }
  }

  private func tick() {
    date = HTTPDate.text()
    if refused > 0 {
      notice(
        "connections refused: \(refused); \(open.count) are open, the most that the limit"
          + " of open files allows (ulimit -n)")
      refused = 0
    }
    let now = NIODeadline.now()
    for connection in open.values { connection.expire(now) }
    everySecond?()
  }

  /// Closes idle connections at once, and each of the others after its responses.
  func stop(_ ended: EventLoopPromise<Void>) {
    self.ended = ended
    for connection in Array(open.values) { connection.stop() }
    if open.isEmpty { ended.succeed() }
  }
}
