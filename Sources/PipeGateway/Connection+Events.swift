internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// A response that continues as an event stream.
struct EventStream {
  let subscriber: Subscriber
  let slot: PipelineSlot
  let status: Int
  /// Size of all bodies sent, for the access log: the bodies themselves are not kept.
  var bytes: Int
}

// A connection with an event stream reads no more requests.
extension Connection {
  /// Sends the head and the first event.
  func beginEventStream(_ subscriber: Subscriber, _ slot: PipelineSlot, _ response: Response) {
    guard let context else { return }
    connections.release(reader.discardInput() + pipeline.removeAll())
    deadlines.clearDeadline()
    eventStream = EventStream(
      subscriber: subscriber, slot: slot, status: response.status, bytes: response.body.count)
    // Bounds the kernel's buffer for a client that does not read; `send` bounds this process's.
    context.channel.setOption(.socketOption(.so_sndbuf), value: 1 << 16).whenFailure { _ in }
    var headers = HTTPHeaders(response.headers)
    headers.add(name: "date", value: connections.date)
    headers.add(name: "connection", value: "close")
    // No Content-Length: chunked for HTTP/1.1, until close for HTTP/1.0.
    let version = slot.head?.version == .http1_0 ? HTTPVersion.http1_0 : .http1_1
    let status = HTTPResponseStatus(statusCode: response.status)
    let head = HTTPResponseHead(version: version, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    let body = context.channel.allocator.buffer(bytes: response.body)
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    // Reading continues, so that the client's close is noticed.
    resumeReading()
  }

  /// Sends an event. A client that does not read misses it, and is closed after `unreadEventTime`
  /// unless it reads again.
  func send(_ event: ByteBuffer, to subscriber: Subscriber) {
    guard let eventStream, eventStream.subscriber === subscriber, let context else { return }
    guard context.channel.isWritable else { return deadlines.setEventDeadline() }
    deadlines.clearDeadline()
    self.eventStream?.bytes += event.readableBytes
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(event))), promise: nil)
  }

  func endEventStream() {
    guard eventStream != nil, let context else { return }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.close(promise: nil)
  }

  /// Ends the subscription of a client that has gone.
  func leaveEventStream() {
    guard let eventStream else { return }
    eventStream.subscriber.leave()
    record(eventStream.slot, eventStream.status, bytes: eventStream.bytes)
    self.eventStream = nil
  }
}

/// The client of an event stream, until it leaves or the server stops. Usable from any thread.
package final class Subscriber: Sendable {
  private let hasLeft = Atomic(false)
  private let connection: NIOLoopBound<Connection>
  private let loop: any EventLoop

  init(_ connection: NIOLoopBound<Connection>, _ loop: any EventLoop) {
    self.connection = connection
    self.loop = loop
  }

  package var isGone: Bool { hasLeft.load(ordering: .relaxed) }

  func leave() { hasLeft.store(true, ordering: .relaxed) }

  /// Sends the same event to all subscribers: one copy, and one wake-up of the event loop. A
  /// subscriber that has not read earlier events does not get it.
  package static func send(_ event: [UInt8], to subscribers: [Subscriber]) {
    subscribers.first?.loop.execute {
      let buffer = ByteBuffer(bytes: event)
      for subscriber in subscribers { subscriber.connection.value.send(buffer, to: subscriber) }
    }
  }

  /// Ends the event streams.
  package static func end(_ subscribers: [Subscriber]) {
    subscribers.first?.loop.execute {
      for subscriber in subscribers where !subscriber.isGone {
        subscriber.leave()
        subscriber.connection.value.endEventStream()
      }
    }
  }
}
