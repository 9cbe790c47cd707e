internal import NIOCore
internal import NIOHTTP1

extension Connection {
  /// Stores the response to a request and sends responses that are due; drops it if the client has
  /// gone.
  func respond(to number: Int, _ response: Response, _ subscriber: Subscriber?) {
    guard pipeline.respond(to: number, response, subscriber) else {
      subscriber?.leave()
      return
    }
    sendDueResponses()
  }

  /// Sends responses in order, up to the first that is missing.
  func sendDueResponses() {
    var isSent = false
    while let context, let (slot, response) = pipeline.takeDue() {
      connections.release(slot.held)
      if let subscriber = slot.subscriber {
        if !connections.isStopping, !subscriber.isGone {
          return beginEventStream(subscriber, slot, response)
        }
        subscriber.leave()
      }
      let isLast =
        slot.isLast || connections.isStopping && isBetweenRequests
        || isInputClosed && pipeline.isEmpty
      write(slot, response, keepsAlive: !isLast)
      isSent = true
      if isLast { return lingeringClose(context) }
    }
    guard isSent else { return }
    context?.flush()
    if isBetweenRequests { deadlines.setIdleDeadline() }
    dispatch()
    sendContinue()
    resumeReading()
  }

  /// Sends 100 Continue to a client that waits for it, once all earlier requests are answered.
  func sendContinue() {
    guard pipeline.isEmpty, reader.takeContinue() else { return }
    let start = HTTPResponseHead(version: .http1_1, status: .continue)
    context?.writeAndFlush(wrapOutboundOut(.head(start)), promise: nil)
  }

  // Closing at once would take the response from a client that has sent more than was read, so its
  // input is read and discarded until it closes too, for at most `lingeringCloseTime`.
  private func lingeringClose(_ context: ChannelHandlerContext) {
    connections.release(reader.discardInput())
    deadlines.setLingeringClose()
    resumeReading()
    let mode: CloseMode = isInputClosed || reader.isDecoderStopped ? .all : .output
    let sent = context.eventLoop.makePromise(of: Void.self)
    sent.futureResult.whenComplete { [channel = context.channel] _ in
      channel.close(mode: mode, promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: sent)
  }

  private func write(_ slot: PipelineSlot, _ response: Response, keepsAlive: Bool) {
    var headers = HTTPHeaders(response.headers)
    headers.add(name: "date", value: connections.date)
    if response.status != 204 {
      headers.add(name: "content-length", value: "\(response.body.count)")
    }
    if !keepsAlive {
      headers.add(name: "connection", value: "close")
    } else if slot.head?.version == .http1_0 {
      headers.add(name: "connection", value: "keep-alive")
    }
    let status = HTTPResponseStatus(statusCode: response.status)
    write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)))
    let hasBody = slot.head?.method != .HEAD
    if hasBody, !response.body.isEmpty, let context {
      write(.body(.byteBuffer(context.channel.allocator.buffer(bytes: response.body))))
    }
    context?.write(wrapOutboundOut(.end(nil)), promise: charge(response))
    record(slot, response.status, bytes: hasBody ? response.body.count : 0)
  }

  // A large response counts until the client has taken it.
  private func charge(_ response: Response) -> EventLoopPromise<Void>? {
    let size = response.body.count
    guard size > 1 << 16, let context else { return nil }
    connections.charge(size)
    let sent = context.eventLoop.makePromise(of: Void.self)
    let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
    sent.futureResult.whenComplete { _ in connection.value.connections.release(size) }
    return sent
  }

  private func write(_ part: HTTPServerResponsePart) {
    context?.write(wrapOutboundOut(part), promise: nil)
  }

  func record(_ slot: PipelineSlot, _ status: Int, bytes: Int) {
    guard let record = connections.record else { return }
    record(
      AccessLogEntry(
        client: client, method: slot.head?.method.rawValue ?? "", target: slot.head?.uri ?? "",
        status: status, bytes: bytes,
        seconds: Double((NIODeadline.now() - slot.began).nanoseconds) / 1e9))
  }
}
