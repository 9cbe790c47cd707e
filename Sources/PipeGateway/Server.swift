internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import PipeIO

/// An HTTP server. It passes requests to `handle`, those that arrive together in one call, on an
/// event loop that must not be blocked.
package final class Server: Sendable {
  private let channel: any Channel
  private let connections: NIOLoopBoundBox<Connections>

  /// `record` gets an entry for each response, `notice` messages for the operator; `everySecond` is
  /// called while a client is connected. `admit` decides on a request by its head. All run on the
  /// event loop. Throws `ListenFault`, or a `Fault` if no thread can be started.
  package init(
    _ address: ListeningAddress, _ limits: ConnectionLimits,
    record: (@Sendable (AccessLogEntry) -> Void)?, everySecond: (@Sendable () -> Void)?,
    notice: @escaping @Sendable (String) -> Void,
    admit: @escaping @Sendable (Request) -> Admission,
    _ handle: @escaping @Sendable ([PendingRequest]) -> Void
  ) throws {
    let loop = try Server.startLoop()
    let connections = NIOLoopBoundBox.makeBoxSendingValue(
      Connections(
        loop, limits, record: record, everySecond: everySecond, notice: notice,
        admit: admit, handle),
      eventLoop: loop)
    self.connections = connections
    let bootstrap = ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      // Half-closed clients may still read.
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      // Small reads, so that little is buffered for clients that send much and read nothing.
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 1 << 14)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try Server.add(channel, to: connections.value) }
      }
    channel = try address.bind(bootstrap)
  }

  // NIO would end the process if it could not start a thread.
  private static func startLoop() throws(Fault) -> any EventLoop {
    let started = NIOLockedValueBox<(any EventLoop)?>(nil)
    let isRunning = ConditionLock(value: false)
    try startThread {
      MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { loop in
        started.withLockedValue { $0 = loop }
        isRunning.lock()
        isRunning.unlock(withValue: true)
      }
    }
    isRunning.lock(whenValue: true)
    isRunning.unlock()
    return started.withLockedValue { $0! }
  }

  private static func add(_ channel: any Channel, to connections: Connections) throws {
    guard connections.accept() else { throw ConnectionRefused() }
    let decoder = HTTPRequestDecoder(
      leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop,
      limitConfiguration: connections.limits.decoder)
    // No NIO handlers for response validation, pipelining or errors: the responses are our own, and
    // `Connection` keeps their order and refuses malformed requests.
    try channel.pipeline.syncOperations.addHandlers(
      HTTPResponseEncoder(),
      ByteToMessageHandler(decoder, maximumBufferSize: connections.limits.undecoded),
      Connection(connections))
  }

  /// The server's address: `http://127.0.0.1:8000`, or the path of a Unix socket.
  package var text: String {
    guard let address = channel.localAddress else { return "" }
    return (address.port == nil ? "" : "http://") + address.text
  }

  /// Calls `lost` if the listening socket closes without `stop`.
  package func watch(_ lost: @escaping @Sendable () -> Void) {
    channel.closeFuture.whenComplete { [connections] _ in
      if !connections.value.isStopping { lost() }
    }
  }

  /// Accepts no more connections, waits until pending requests are answered, and calls `ended`.
  package func stop(_ ended: @escaping @Sendable () -> Void) {
    let loop = channel.eventLoop
    let promise = loop.makePromise(of: Void.self)
    promise.futureResult.whenComplete { _ in ended() }
    loop.execute { [channel, connections] in
      connections.value.isStopping = true
      channel.close().whenComplete { _ in connections.value.stop(promise) }
    }
  }
}

/// The server is stopping or has too many connections.
private struct ConnectionRefused: Error {}

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
