import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import PipeGateway

private let limits = ConnectionLimits(body: 1000, connections: 10)

/// A connection answers or closes, whatever its client sends.
func fuzzHead(_ input: UnsafeRawBufferPointer) {
  let channel = EmbeddedChannel()
  let connections = Connections(
    channel.embeddedEventLoop, limits, record: nil, everySecond: nil, notice: { _ in },
    admit: { request in
      _ = request.path + (request.header("host") ?? "")
      return Admission(refusal: Response(404))
    }
  ) { _ in }
  let decoder = HTTPRequestDecoder(
    leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop,
    limitConfiguration: limits.decoder)
  let handlers = channel.pipeline.syncOperations
  try? handlers.addHandlers(
    HTTPResponseEncoder(), ByteToMessageHandler(decoder, maximumBufferSize: limits.undecoded),
    Connection(connections))
  try? channel.connect(to: SocketAddress(ipAddress: "::1", port: 1)).wait()
  _ = try? channel.writeInbound(ByteBuffer(bytes: input))
  channel.embeddedEventLoop.run()
  let first = try? channel.readOutbound(as: ByteBuffer.self)
  let isResponse = first.map { String(buffer: $0).hasPrefix("HTTP/1.") } ?? true
  require(isResponse, "what a client gets begins with a status line")
  _ = try? channel.finish()
}
