internal import NIOCore

/// All connections of a server and what they hold together. Confined to the event loop.
final class Connections {
  let limits: ConnectionLimits
  let receive: @Sendable (Request) -> Admission
  private let handle: @Sendable ([PendingRequest]) -> Void
  let record: (@Sendable (AccessLogEntry) -> Void)?
  private let everySecond: (@Sendable () -> Void)?
  private let notice: @Sendable (String) -> Void
  /// The time for the header `date`, to the second.
  private(set) var date = httpDate()
  var isEnding = false
  /// Bytes of bodies and large answers.
  private(set) var held = 0

  private let loop: any EventLoop
  private var open: [ObjectIdentifier: Connection] = [:]
  private var clock: RepeatedTask?
  /// Requests that came in this turn of the loop.
  private var arrived: [PendingRequest] = []
  /// Connections since it was last said.
  private var turnedAway = 0
  private var ended: EventLoopPromise<Void>?

  init(
    _ loop: any EventLoop, _ limits: ConnectionLimits,
    record: (@Sendable (AccessLogEntry) -> Void)?,
    everySecond: (@Sendable () -> Void)?, notice: @escaping @Sendable (String) -> Void,
    receive: @escaping @Sendable (Request) -> Admission,
    _ handle: @escaping @Sendable ([PendingRequest]) -> Void
  ) {
    self.loop = loop
    self.limits = limits
    self.record = record
    self.everySecond = everySecond
    self.notice = notice
    self.receive = receive
    self.handle = handle
  }

  /// False: there are as many as may be; it is to be closed.
  func admit() -> Bool {
    if isEnding { return false }
    if open.count < limits.connections { return true }
    turnedAway += 1
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

  /// What comes in one turn of the loop is handed on together, at its end.
  func take(_ pending: PendingRequest) {
    arrived.append(pending)
    guard arrived.count == 1 else { return }
    let all = NIOLoopBound(self, eventLoop: loop)
    loop.execute { all.value.handOn() }
  }

  private func handOn() {
    let together = arrived
    arrived.removeAll(keepingCapacity: true)
    handle(together)
  }

  /// False: there is no room for so many bytes more.
  func hold(_ bytes: Int) -> Bool {
    if held + bytes > limits.bodies { return false }
    held += bytes
    return true
  }

  var isCrowded: Bool { held > limits.bodies }

  /// Of a large answer, until its client has taken it: then there is less room for bodies.
  func charge(_ bytes: Int) { held += bytes }

  func release(_ bytes: Int) { held -= bytes }

  // One clock for all: timers for each would be looked through whenever one is cancelled.
  private func startClock() {
    date = httpDate()
    let all = NIOLoopBound(self, eventLoop: loop)
    clock = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
      all.value.tick()
    }
  }

  private func tick() {
    date = httpDate()
    if turnedAway > 0 {
      notice(
        "connections refused: \(turnedAway); \(open.count) are open, the most that the limit"
          + " of open files allows (ulimit -n)")
      turnedAway = 0
    }
    let now = NIODeadline.now()
    for connection in open.values { connection.expire(now) }
    everySecond?()
  }

  /// Ends those that ask nothing, and each of the others after its answer.
  func end(_ ended: EventLoopPromise<Void>) {
    self.ended = ended
    for connection in Array(open.values) { connection.finish() }
    if open.isEmpty { ended.succeed() }
  }
}
