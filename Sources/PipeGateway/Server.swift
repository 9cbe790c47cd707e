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
