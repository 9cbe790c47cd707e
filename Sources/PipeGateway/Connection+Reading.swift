internal import NIOCore
internal import NIOHTTP1

extension Connection {
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), reading) {
    case (_, .waste): return
    case (.head(let head), _): begin(head)
    case (.body(let buffer), .request(let head, _)): take(buffer, head)
    case (.end, .request(let head, let began)): complete(head, began)
    case (.body, .nothing), (.end, .nothing): return
    }
  }

  private func begin(_ received: HTTPRequestHead) {
    let head = received.trimmed
    reading = .request(head, began: .now())
    allow(all.limits.requestTime)
    let request = Request(head, client: client)
    self.request = request
    reception = all.receive(request)
    wasted = 0
    if let refusal = RequestError(head, all.limits) { return refuse(refusal) }
    if all.isCrowded { return refuse(RequestError.crowded) }
    if let refusal = reception.refusal, head.hasLongBody { return refuse(refusal) }
    isContinueOwed = head.version != .http1_0 && head.headers.contains(name: "expect")
    sendContinue()
  }

  /// Sends 100 Continue to a client that waits for it, once all earlier requests are answered.
  func sendContinue() {
    guard isContinueOwed, slots.isEmpty else { return }
    isContinueOwed = false
    let start = HTTPResponseHead(version: .http1_1, status: .continue)
    context?.writeAndFlush(wrapOutboundOut(.head(start)), promise: nil)
  }

  private func take(_ buffer: ByteBuffer, _ head: HTTPRequestHead) {
    isContinueOwed = false
    if let refusal = reception.refusal {
      wasted += buffer.readableBytes
      if wasted > HTTPRequestHead.shortBody { refuse(refusal) }
      return
    }
    if body.count + buffer.readableBytes > all.limits.body {
      return refuse(RequestError.tooLong(all.limits))
    }
    guard all.hold(buffer.readableBytes) else { return refuse(RequestError.crowded) }
    if body.isEmpty {
      body.reserveCapacity(min(head.contentLength ?? 0, HTTPRequestHead.shortBody))
    }
    body.append(contentsOf: buffer.readableBytesView)
  }

  private func complete(_ head: HTTPRequestHead, _ began: NIODeadline) {
    guard let context, var request else { return }
    count += 1
    isContinueOwed = false
    decoderStopped = head.stopsDecoder
    let isLast = !head.isKeepAlive || decoderStopped || all.isEnding
    reading = isLast ? .waste : .nothing
    deadline = .distantFuture
    var slot = PipelineSlot(
      number: count, head: head, began: began, held: body.count, headers: reception.headers,
      isLast: isLast)
    if let refusal = reception.refusal {
      slot.response = refusal.with(reception.headers)
      slots.append(slot)
      return sendWhatIsDue()
    }
    slot.isWorkedOn = true
    slots.append(slot)
    request.body = body
    self.request = nil
    body = []
    waiting.append(PendingRequest(request, reception.headers, self, context.eventLoop, count))
    handOn()
  }

  // Responds before the request is read. Closing at once would take the response from a client that
  // is still sending, so the rest is read for a while and discarded.
  func refuse(_ refusal: RequestError) { refuse(refusal.response) }

  private func refuse(_ response: Response) {
    dropBody()
    isContinueOwed = false
    count += 1
    var (head, began): (HTTPRequestHead?, NIODeadline) = (nil, .now())
    if case .request(let found, let start) = reading { (head, began) = (found, start) }
    decoderStopped = head?.stopsDecoder == true
    reading = .waste
    deadline = .distantFuture
    slots.append(
      PipelineSlot(
        number: count, head: head, began: began, held: 0, isLast: true,
        response: response.with(reception.headers)))
    sendWhatIsDue()
  }

  /// Passes requests to handlers: several at once only if they are small posts, since responses are
  /// kept until the client takes them.
  func handOn() {
    while let next = waiting.first, inHand < all.limits.slots,
      context?.channel.isWritable == true
    {
      let isLight = next.request.isLight
      guard inHand == 0 || isLight && isLightInHand else { return }
      inHand += 1
      isLightInHand = isLight
      waiting.removeFirst()
      all.take(next)
    }
  }
}

extension HTTPRequestHead {
  /// The head without blanks after header values, which are not part of them (RFC 9112, 5.1).
  fileprivate var trimmed: HTTPRequestHead {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    guard headers.contains(where: { $0.value.utf8.last.map(isBlank) ?? false }) else { return self }
    var head = self
    head.headers = HTTPHeaders(
      headers.map { name, value in
        let count = value.utf8.reversed().prefix(while: isBlank).count
        return (name, String(decoding: value.utf8.dropLast(count), as: UTF8.self))
      })
    return head
  }

  /// A refused request's body of at most this many bytes is read to its end before the response, so
  /// that the connection stays usable.
  fileprivate static let shortBody = 1 << 16

  fileprivate var hasLongBody: Bool {
    headers.contains(name: "expect") || (contentLength ?? 0) > HTTPRequestHead.shortBody
  }

  /// The declared length of the body; nil: none.
  fileprivate var contentLength: Int? { headers.first(name: "content-length").flatMap { Int($0) } }

  /// Whether the decoder treats the bytes that follow as another protocol.
  fileprivate var stopsDecoder: Bool {
    method == .CONNECT
      || headers.contains(name: "upgrade")
        && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
  }
}

extension Request {
  fileprivate var isLight: Bool { method == "POST" && body.count <= 1 << 16 }
}
