internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import PipeIO

/// Listens, and gives requests to `handle`, those that came together at once, on an event loop that must not be
/// blocked.
package final class Server: Sendable {
  private let channel: any Channel
  private let connections: NIOLoopBoundBox<Connections>

  /// `record` is told of each answer, `notice` of what whoever runs the server should know; `everySecond` is
  /// called while anybody is connected. `receive` judges a request by its head. All on the event loop. Throws
  /// `ListenFault`, or a `Fault` where there is no thread to be had.
  package init(
    _ address: ListeningAddress, _ limits: ConnectionLimits,
    record: (@Sendable (AccessLogEntry) -> Void)?, everySecond: (@Sendable () -> Void)?,
    notice: @escaping @Sendable (String) -> Void,
    receive: @escaping @Sendable (Request) -> Admission,
    _ handle: @escaping @Sendable ([PendingRequest]) -> Void
  ) throws {
    let loop = try Server.startLoop()
    let connections = NIOLoopBoundBox.makeBoxSendingValue(
      Connections(
        loop, limits, record: record, everySecond: everySecond, notice: notice,
        receive: receive, handle),
      eventLoop: loop)
    self.connections = connections
    let bootstrap = ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      // Who has said all may still listen.
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      // Little at a time, so that little is at hand of those who send much and read nothing.
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

  // NIO would end the process where it cannot start a thread.
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
    guard connections.admit() else { throw TurnedAway() }
    let decoder = HTTPRequestDecoder(
      leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop,
      limitConfiguration: connections.limits.decoder)
    // What we send is ours; order, and what is wrong in requests, is seen to by the connection.
    try channel.pipeline.syncOperations.addHandlers(
      HTTPResponseEncoder(),
      ByteToMessageHandler(decoder, maximumBufferSize: connections.limits.undecoded),
      Connection(connections))
  }

  /// Where it listens: `http://127.0.0.1:8000`, or the path of a Unix socket.
  package var text: String {
    guard let address = channel.localAddress else { return "" }
    return (address.port == nil ? "" : "http://") + address.text
  }

  /// Calls `lost` should it stop listening though nobody asked it to.
  package func watch(_ lost: @escaping @Sendable () -> Void) {
    channel.closeFuture.whenComplete { [connections] _ in
      if !connections.value.isEnding { lost() }
    }
  }

  /// Accepts nothing more, waits until what was asked is answered, and calls `ended`.
  package func stop(_ ended: @escaping @Sendable () -> Void) {
    let loop = channel.eventLoop
    let promise = loop.makePromise(of: Void.self)
    promise.futureResult.whenComplete { _ in ended() }
    loop.execute { [channel, connections] in
      connections.value.isEnding = true
      channel.close().whenComplete { _ in connections.value.end(promise) }
    }
  }
}

/// A connection too many.
private struct TurnedAway: Error {}
