internal import NIOCore
internal import NIOHTTP1

/// A response that continues as an event stream.
struct View {
  let subscriber: Subscriber
  let slot: PipelineSlot
  var response: Response
  /// Size of all bodies sent, for the access log: the bodies themselves are not kept.
  var bytes: Int
}

// A connection with an event stream takes no more requests.
extension Connection {
  /// Sends the head and the first event.
  func begin(_ subscriber: Subscriber, _ slot: PipelineSlot, _ response: Response) {
    guard let context else { return }
    for later in slots { later.leave(all) }
    slots.removeAll()
    waiting.removeAll()
    ignoreTheRest()
    view = View(subscriber: subscriber, slot: slot, response: response, bytes: response.body.count)
    // Bounds the kernel's buffer for a client that does not read; `show` bounds this process's.
    context.channel.setOption(.socketOption(.so_sndbuf), value: 1 << 16).whenFailure { _ in }
    var headers = HTTPHeaders(response.headers)
    headers.add(name: "date", value: all.date)
    headers.add(name: "connection", value: "close")
    // No Content-Length: chunked for HTTP/1.1, until close for HTTP/1.0.
    let version = slot.head?.version == .http1_0 ? HTTPVersion.http1_0 : .http1_1
    let status = HTTPResponseStatus(statusCode: response.status)
    let head = HTTPResponseHead(version: version, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    let body = context.channel.allocator.buffer(bytes: response.body)
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    // Reading continues, so that the client's close is noticed.
    readOn()
  }

  /// Sends an event. A client that does not read misses it, and is closed after `viewerTime` unless
  /// it reads again.
  func show(_ bytes: ByteBuffer, to subscriber: Subscriber) {
    guard let view, view.subscriber === subscriber, let context else { return }
    guard context.channel.isWritable else { return allowAtMost(all.limits.viewerTime) }
    allowForEver()
    self.view?.bytes += bytes.readableBytes
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
  }

  func endView() {
    guard view != nil, let context else { return }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.close(promise: nil)
  }

  /// Ends the subscription of a client that has gone.
  func leaveView() {
    guard let view else { return }
    view.subscriber.leave()
    record(view.slot, view.response.status, bytes: view.bytes)
    self.view = nil
  }
}

extension PipelineSlot {
  /// Releases a slot that will get no response.
  func leave(_ all: Connections) {
    all.release(held)
    subscriber?.leave()
  }
}
