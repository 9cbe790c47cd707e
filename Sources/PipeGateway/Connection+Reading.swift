internal import NIOCore
internal import NIOHTTP1

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
