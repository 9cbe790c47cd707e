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

  private func begin(_ head: HTTPRequestHead) {
    reading = .request(head, began: .now())
    allow(all.limits.requestTime)
    if let refusal = Refusal(head, all.limits) { return refuse(refusal) }
    isContinueOwed = head.version != .http1_0 && head.headers.contains(name: "expect")
    invite()
  }

  /// Tells a client that waits for it to send the body, when all before is answered.
  func invite() {
    guard isContinueOwed, turns.isEmpty else { return }
    isContinueOwed = false
    let start = HTTPResponseHead(version: .http1_1, status: .continue)
    context?.writeAndFlush(wrapOutboundOut(.head(start)), promise: nil)
  }

  private func take(_ buffer: ByteBuffer, _ head: HTTPRequestHead) {
    isContinueOwed = false
    if body.count + buffer.readableBytes > all.limits.body {
      return refuse(.tooLong(all.limits))
    }
    guard all.hold(buffer.readableBytes) else { return refuse(.crowded) }
    if body.isEmpty { body.reserveCapacity(head.contentLength ?? buffer.readableBytes) }
    body.append(contentsOf: buffer.readableBytesView)
  }

  private func complete(_ head: HTTPRequestHead, _ began: NIODeadline) {
    guard let context else { return }
    count += 1
    isContinueOwed = false
    isDeaf = head.stopsDecoder
    let isLast = !head.isKeepAlive || isDeaf || all.isEnding
    turns.append(Turn(number: count, head: head, began: began, held: body.count, isLast: isLast))
    waiting.append(
      Exchange(Request(head, body: body, client: client), self, context.eventLoop, count))
    reading = isLast ? .waste : .nothing
    body = []
    deadline = .distantFuture
    handOn()
  }

  // Answers before the request was read. To close at once would take the answer from a client that is
  // still sending; so the rest is read for a while and thrown away.
  func refuse(_ refusal: Refusal) {
    dropBody()
    isContinueOwed = false
    count += 1
    var (head, began): (HTTPRequestHead?, NIODeadline) = (nil, .now())
    if case .request(let found, let start) = reading { (head, began) = (found, start) }
    isDeaf = head?.stopsDecoder == true
    reading = .waste
    deadline = .distantFuture
    turns.append(
      Turn(
        number: count, head: head, began: began, held: 0, isLast: true, answer: refusal.answer))
    sendWhatIsDue()
  }

  /// Has requests worked on: several at once only where they are posts and not large, since answers are
  /// kept until the client takes them.
  func handOn() {
    while let next = waiting.first, context?.channel.isWritable == true {
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
  /// That of a body of known length.
  fileprivate var contentLength: Int? { headers.first(name: "content-length").flatMap { Int($0) } }

  /// Whether the decoder takes what follows for another protocol.
  fileprivate var stopsDecoder: Bool {
    method == .CONNECT
      || headers.contains(name: "upgrade")
        && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
  }
}

extension Request {
  fileprivate var isLight: Bool { method == "POST" && body.count <= 1 << 16 }
}
