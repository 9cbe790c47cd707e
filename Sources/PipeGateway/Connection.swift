internal import NIOCore
internal import NIOHTTP1

/// One connection: puts requests together, and has them answered in their order, though they are worked on
/// at the same time.
final class Connection: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = HTTPServerResponsePart

  private enum Reading {
    case nothing
    case request(HTTPRequestHead, began: NIODeadline)
    /// What comes is thrown away: a request before it was refused.
    case waste
  }

  let all: Connections
  private(set) var context: ChannelHandlerContext?
  private(set) var client = ""
  var turns = CircularBuffer<Turn>(initialCapacity: 1)
  /// What goes on here, if something does.
  var view: View?
  private var reading = Reading.nothing
  private var body: [UInt8] = []
  private var count = 0
  private var deadline = NIODeadline.distantFuture
  private var isReadWanted = false

  init(_ all: Connections) { self.all = all }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    client = context.remoteAddress?.ipAddress ?? ""
    all.add(self)
    allow(all.limits.requestTime)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    dropBody()
    for turn in turns { turn.leave(all) }
    turns.removeAll()
    leaveView()
    all.remove(self)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), reading) {
    case (_, .waste): return
    case (.head(let head), _): begin(head)
    case (.body(let buffer), _): take(buffer)
    case (.end, .request(let head, let began)): complete(head, began)
    case (.end, .nothing): return
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    reading = .request(head, began: .now())
    allow(all.limits.requestTime)
    if let refusal = Refusal(head, all.limits) { return refuse(refusal) }
    if head.headers.contains(name: "expect"), turns.isEmpty {
      let start = HTTPResponseHead(version: .http1_1, status: .continue)
      context?.writeAndFlush(wrapOutboundOut(.head(start)), promise: nil)
    }
  }

  private func take(_ buffer: ByteBuffer) {
    if body.count + buffer.readableBytes > all.limits.body {
      return refuse(.tooLong(all.limits))
    }
    guard all.hold(buffer.readableBytes) else { return refuse(.crowded) }
    body.append(contentsOf: buffer.readableBytesView)
  }

  private func complete(_ head: HTTPRequestHead, _ began: NIODeadline) {
    guard let context else { return }
    count += 1
    turns.append(Turn(number: count, head: head, began: began, held: body.count))
    let request = Request(head, body: body, client: client)
    reading = .nothing
    body.removeAll()
    deadline = .distantFuture
    all.take(Exchange(request, self, context.eventLoop, count))
  }

  // Answers before the request was read. To close at once would take the answer from a client that is
  // still sending; so the rest is read for a while and thrown away.
  private func refuse(_ refusal: Refusal) {
    dropBody()
    count += 1
    var (head, began): (HTTPRequestHead?, NIODeadline) = (nil, .now())
    if case .request(let found, let start) = reading { (head, began) = (found, start) }
    reading = .waste
    turns.append(
      Turn(
        number: count, head: head, began: began, held: 0, answer: refusal.answer, isRefused: true))
    sendWhatIsDue()
    allow(all.limits.partingTime)
  }

  private func dropBody() {
    all.release(body.count)
    body.removeAll()
  }

  var isBetweenRequests: Bool {
    if case .nothing = reading { turns.isEmpty } else { false }
  }

  func allow(_ time: TimeAmount) { deadline = .now() + time }

  /// From the first time on that this is said.
  func allowAtMost(_ time: TimeAmount) { deadline = min(deadline, .now() + time) }

  func allowForEver() { deadline = .distantFuture }

  func ignoreTheRest() {
    dropBody()
    reading = .waste
    allowForEver()
  }

  /// Who neither asks nor reads for too long is let go.
  func expire(_ now: NIODeadline) {
    if now > deadline { context?.close(promise: nil) }
  }

  /// The server ends: what was asked is answered, and nothing else.
  func finish() {
    if isBetweenRequests { context?.close(promise: nil) }
    endView()
    if case .request = reading { allow(all.limits.partingTime) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch (error, reading) {
    case (_, .waste): return
    case (let error as HTTPParserError, _): refuse(Refusal(error))
    default: context.close(promise: nil)
    }
  }

  // A client that sends on and on without waiting for answers is left waiting.
  func read(context: ChannelHandlerContext) {
    if turns.count < all.limits.turns { context.read() } else { isReadWanted = true }
  }

  func readOn() {
    guard isReadWanted, turns.count < all.limits.turns else { return }
    isReadWanted = false
    context?.read()
  }
}
