internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Listens, and gives requests to `handle`, those that came together at once, on an event loop that must not be
/// blocked.
package final class Server: Sendable {
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let channel: any Channel
  private let connections: NIOLoopBoundBox<Connections>

  /// `record` is told of each answer; `everySecond` is called while anybody is connected, on the event loop.
  package init(
    _ address: ListeningAddress, _ limits: ConnectionLimits,
    record: (@Sendable (Served) -> Void)? = nil, everySecond: (@Sendable () -> Void)? = nil,
    _ handle: @escaping @Sendable ([Exchange]) -> Void
  ) throws {
    let loop = group.any()
    let connections = NIOLoopBoundBox.makeBoxSendingValue(
      Connections(loop, limits, record: record, everySecond: everySecond, handle), eventLoop: loop)
    self.connections = connections
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try Server.add(channel, to: connections.value) }
      }
    channel = try address.bind(bootstrap)
  }

  private static func add(_ channel: any Channel, to connections: Connections) throws {
    guard connections.hasRoom else { throw ChannelError.connectTimeout(.zero) }
    let pipeline = channel.pipeline.syncOperations
    // What we send is ours; order, and what is wrong in requests, is seen to by the connection.
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: false, withErrorHandling: false,
      withOutboundHeaderValidation: false,
      withEncoderConfiguration: HTTPResponseEncoder.Configuration(),
      withDecoderLimitConfiguration: connections.limits.decoder)
    try pipeline.addHandler(Connection(connections))
  }

  /// Where it listens: `http://127.0.0.1:8000`, or the path of a Unix socket.
  package var text: String {
    guard let address = channel.localAddress else { return "" }
    guard let port = address.port, let host = address.ipAddress else {
      return "unix:\(address.pathname ?? "")"
    }
    return "http://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
  }

  /// Accepts nothing more, waits until what was asked is answered, and calls `ended`.
  package func stop(_ ended: @escaping @Sendable () -> Void) {
    let loop = channel.eventLoop
    channel.close().whenComplete { [connections] _ in
      let promise = loop.makePromise(of: Void.self)
      promise.futureResult.whenComplete { _ in ended() }
      connections.value.end(promise)
    }
  }
}
