internal import NIOCore
internal import NIOHTTP1

/// One connection: passes bytes, responses and times to the values that decide on them, and acts on
/// their decisions.
final class Connection: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = HTTPServerResponsePart

  let connections: Connections
  private(set) var context: ChannelHandlerContext?
  /// The client's address, without its port.
  private(set) var client = ""
  var reader: RequestReader
  var pipeline: Pipeline
  var deadlines: Deadlines
  /// The event stream sent on this connection, if any.
  var eventStream: EventStream?
  private var isReadWanted = false
  /// The client has closed its sending side, but may still read.
  private(set) var isInputClosed = false

  init(_ connections: Connections) {
    self.connections = connections
    reader = RequestReader(connections.limits)
    pipeline = Pipeline(capacity: connections.limits.slots)
    deadlines = Deadlines(connections.limits)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    client = context.remoteAddress?.ipAddress ?? ""
    connections.add(self)
    deadlines.setRequestDeadline()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    connections.release(reader.discardInput() + pipeline.removeAll())
    leaveEventStream()
    connections.remove(self)
  }

  var isBetweenRequests: Bool { reader.isIdle && pipeline.isEmpty }

  /// Closes a connection whose client has neither sent nor read in time. A request that did not
  /// arrive in time gets a 408 first.
  func expire(_ now: NIODeadline) {
    switch deadlines.expiry(at: now) {
    case nil: return
    case .late where reader.isReading && !connections.isStopping:
      refuse(RequestError.slow.response)
    case .late, .stalled: context?.close(promise: nil)
    }
  }

  /// The server is stopping: requests received or begun are answered, and no others.
  func stop() {
    if isBetweenRequests { context?.close(promise: nil) }
    endEventStream()
    deadlines.stop(isReading: reader.isReading, isWritable: context?.channel.isWritable != false)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    // Errors after malformed HTTP, which has already been refused.
    case is ByteToMessageDecoderError: return
    case is HTTPParserError where reader.isDiscarding: return
    case let error as HTTPParserError: refuse(RequestError(error).response)
    // Blanks before a header value, for example, which none of the decoder's limits counts.
    case is ByteToMessageDecoderError.PayloadTooLargeError where reader.isIdle:
      refuse(RequestError(.headerOverflow).response)
    default: context.close(promise: nil)
    }
  }

  // The decoder has already reported a request that was cut off. Half-closed clients may still
  // read.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event as? ChannelEvent == .inputClosed else { return }
    isInputClosed = true
    if pipeline.isEmpty { context.close(promise: nil) }
  }

  // Back-pressure: a client that sends without waiting for responses, or without reading them, is
  // not read.
  func read(context: ChannelHandlerContext) {
    if mayRead { context.read() } else { isReadWanted = true }
  }

  func resumeReading() {
    guard isReadWanted, mayRead else { return }
    isReadWanted = false
    context?.read()
  }

  private var mayRead: Bool {
    if reader.isDiscarding { return !reader.isDecoderStopped }
    return pipeline.hasRoom && context?.channel.isWritable == true
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    deadlines.setWritable(context.channel.isWritable, isStopping: connections.isStopping)
    dispatch()
    resumeReading()
  }
}

extension Connection {
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if reader.isDiscarding { return }
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head.trimmed)
    case .body(let piece):
      if let refusal = reader.append(piece, hold: connections.hold) { refuse(refusal) }
    case .end: complete()
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    let began = NIODeadline.now()
    deadlines.setRequestDeadline(at: began)
    let request = Request(head, client: client)
    let admission = connections.admit(request)
    let refusal = reader.begin(
      head, request, admission, isCrowded: connections.isCrowded, at: began)
    if let refusal { return refuse(refusal) }
    sendContinue()
  }

  private func complete() {
    guard let (slot, request) = reader.end(isLast: connections.isStopping) else { return }
    deadlines.clearDeadline()
    pipeline.append(slot, request)
    if request == nil { sendDueResponses() } else { dispatch() }
  }

  /// Responds before the request is read to its end.
  func refuse(_ refusal: Response) {
    let (slot, dropped) = reader.refuse(refusal)
    connections.release(dropped)
    deadlines.clearDeadline()
    pipeline.append(slot, nil)
    sendDueResponses()
  }

  /// Passes requests to handlers, unless the client leaves responses unread.
  func dispatch() {
    while let context, context.channel.isWritable, let (number, request) = pipeline.dispatch() {
      connections.dispatch(PendingRequest(request, number, self, context.eventLoop))
    }
  }
}
