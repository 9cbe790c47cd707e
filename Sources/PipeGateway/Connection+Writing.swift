internal import NIOCore
internal import NIOHTTP1

extension Connection {
  /// Stores the response to a request and sends responses that are due; drops it if the client has
  /// gone.
  func response(_ response: Response, to number: Int, _ subscriber: Subscriber?) {
    guard let first = slots.first, number >= first.number else {
      subscriber?.leave()
      return
    }
    let index = slots.index(slots.startIndex, offsetBy: number - first.number)
    slots[index].response = response
    slots[index].subscriber = subscriber
    sendWhatIsDue()
  }

  /// Sends responses in order, up to the first that is missing.
  func sendWhatIsDue() {
    var isSent = false
    while let slot = slots.first, let response = slot.response, let context {
      slots.removeFirst()
      if slot.isWorkedOn { inHand -= 1 }
      all.release(slot.held)
      if let subscriber = slot.subscriber {
        if !all.isEnding, !subscriber.isGone { return begin(subscriber, slot, response) }
        subscriber.leave()
      }
      let isLast =
        slot.isLast || all.isEnding && isBetweenRequests || isInputOver && slots.isEmpty
      write(slot, response, keepsAlive: !isLast)
      isSent = true
      if isLast { return part(context) }
    }
    guard isSent else { return }
    context?.flush()
    if isBetweenRequests { allow(all.limits.idleTime) }
    handOn()
    sendContinue()
    readOn()
  }

  // Lingering close. Closing at once would take the response from a client that has sent more than
  // was read, so its input is read and discarded until it closes too, for at most `partingTime`.
  private func part(_ context: ChannelHandlerContext) {
    dropBody()
    reading = .waste
    allow(all.limits.partingTime)
    readOn()
    let mode: CloseMode = isInputOver || decoderStopped ? .all : .output
    let sent = context.eventLoop.makePromise(of: Void.self)
    sent.futureResult.whenComplete { [channel = context.channel] _ in
      channel.close(mode: mode, promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: sent)
  }

  private func write(_ slot: PipelineSlot, _ response: Response, keepsAlive: Bool) {
    var headers = HTTPHeaders(response.headers)
    headers.add(name: "date", value: all.date)
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
    if slot.head?.method != .HEAD, !response.body.isEmpty, let context {
      write(.body(.byteBuffer(context.channel.allocator.buffer(bytes: response.body))))
    }
    context?.write(wrapOutboundOut(.end(nil)), promise: charge(response))
    let isShown = slot.head?.method != .HEAD
    record(slot, response.status, bytes: isShown ? response.body.count : 0)
  }

  // A large response counts until the client has taken it.
  private func charge(_ response: Response) -> EventLoopPromise<Void>? {
    let size = response.body.count
    guard size > 1 << 16, let context else { return nil }
    all.charge(size)
    let sent = context.eventLoop.makePromise(of: Void.self)
    let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
    sent.futureResult.whenComplete { _ in connection.value.all.release(size) }
    return sent
  }

  private func write(_ part: HTTPServerResponsePart) {
    context?.write(wrapOutboundOut(part), promise: nil)
  }

  func record(_ slot: PipelineSlot, _ status: Int, bytes: Int) {
    guard let record = all.record else { return }
    record(
      AccessLogEntry(
        client: client, method: slot.head?.method.rawValue ?? "", target: slot.head?.uri ?? "",
        status: status, bytes: bytes,
        seconds: Double((NIODeadline.now() - slot.began).nanoseconds) / 1e9))
  }
}
