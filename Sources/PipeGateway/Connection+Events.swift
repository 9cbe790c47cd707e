internal import NIOCore
internal import NIOHTTP1

/// An answer that goes on.
struct View {
  let subscriber: Subscriber
  let slot: PipelineSlot
  var response: Response
  /// Of all bodies, for the access log: what was shown is not kept.
  var bytes: Int
}

// A connection that shows something takes no request any more.
extension Connection {
  /// Sends the head and what there is to be seen by now.
  func begin(_ subscriber: Subscriber, _ slot: PipelineSlot, _ response: Response) {
    guard let context else { return }
    for later in slots { later.leave(all) }
    slots.removeAll()
    waiting.removeAll()
    ignoreTheRest()
    view = View(subscriber: subscriber, slot: slot, response: response, bytes: response.body.count)
    // Neither here nor in the kernel does much wait for who does not read.
    context.channel.setOption(.socketOption(.so_sndbuf), value: 1 << 16).whenFailure { _ in }
    var headers = HTTPHeaders(response.headers)
    headers.add(name: "date", value: all.date)
    headers.add(name: "connection", value: "close")
    // Without a length: in chunks, but for who does not know them until the connection ends.
    let version = slot.head?.version == .http1_0 ? HTTPVersion.http1_0 : .http1_1
    let status = HTTPResponseStatus(statusCode: response.status)
    let head = HTTPResponseHead(version: version, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    let body = context.channel.allocator.buffer(bytes: response.body)
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    // That it leaves is read too.
    readOn()
  }

  /// Nothing is kept for who does not read, and after a while it is let go.
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

  /// The viewer has gone.
  func leaveView() {
    guard let view else { return }
    view.subscriber.leave()
    record(view.slot, view.response.status, bytes: view.bytes)
    self.view = nil
  }
}

extension PipelineSlot {
  /// It will not be answered.
  func leave(_ all: Connections) {
    all.release(held)
    subscriber?.leave()
  }
}
