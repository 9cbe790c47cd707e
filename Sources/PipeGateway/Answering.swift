internal import NIOCore
internal import NIOHTTP1

extension Connection {
  /// Takes the answer to a request, unless the one who asked has gone.
  func answer(_ answer: Answer, to number: Int, _ viewer: Viewer?) {
    guard let first = turns.first, number >= first.number else {
      viewer?.leave()
      return
    }
    let index = turns.index(turns.startIndex, offsetBy: number - first.number)
    turns[index].answer = answer
    turns[index].viewer = viewer
    sendWhatIsDue()
  }

  /// Sends the answers up to the first that is not there yet.
  func sendWhatIsDue() {
    var isSent = false
    while let turn = turns.first, let answer = turn.answer, let context {
      turns.removeFirst()
      if turn.isWorkedOn { inHand -= 1 }
      all.release(turn.held)
      if let viewer = turn.viewer {
        if !all.isEnding, !viewer.isGone { return begin(viewer, turn, answer) }
        viewer.leave()
      }
      let isLast =
        turn.isLast || all.isEnding && isBetweenRequests || isInputOver && turns.isEmpty
      write(turn, answer, keepsAlive: !isLast)
      isSent = true
      if isLast { return part(context) }
    }
    guard isSent else { return }
    context?.flush()
    if isBetweenRequests { allow(all.limits.idleTime) }
    handOn()
    invite()
    readOn()
  }

  // To close at once would take the answer from a client that has sent more than was read: what it still
  // sends is read and thrown away until it closes too.
  private func part(_ context: ChannelHandlerContext) {
    dropBody()
    reading = .waste
    allow(all.limits.partingTime)
    readOn()
    let mode: CloseMode = isInputOver || isDeaf ? .all : .output
    let sent = context.eventLoop.makePromise(of: Void.self)
    sent.futureResult.whenComplete { [channel = context.channel] _ in
      channel.close(mode: mode, promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: sent)
  }

  private func write(_ turn: Turn, _ answer: Answer, keepsAlive: Bool) {
    var headers = HTTPHeaders(answer.headers)
    headers.add(name: "date", value: all.date)
    if answer.status != 204 { headers.add(name: "content-length", value: "\(answer.body.count)") }
    if !keepsAlive {
      headers.add(name: "connection", value: "close")
    } else if turn.head?.version == .http1_0 {
      headers.add(name: "connection", value: "keep-alive")
    }
    let status = HTTPResponseStatus(statusCode: answer.status)
    write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)))
    if turn.head?.method != .HEAD, !answer.body.isEmpty, let context {
      write(.body(.byteBuffer(context.channel.allocator.buffer(bytes: answer.body))))
    }
    context?.write(wrapOutboundOut(.end(nil)), promise: charge(answer))
    let isShown = turn.head?.method != .HEAD
    record(turn, answer.status, bytes: isShown ? answer.body.count : 0)
  }

  // What is large counts as long as nobody has taken it.
  private func charge(_ answer: Answer) -> EventLoopPromise<Void>? {
    let size = answer.body.count
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

  func record(_ turn: Turn, _ status: Int, bytes: Int) {
    guard let record = all.record else { return }
    record(
      Served(
        client: client, method: turn.head?.method.rawValue ?? "", target: turn.head?.uri ?? "",
        status: status, bytes: bytes,
        seconds: Double((NIODeadline.now() - turn.began).nanoseconds) / 1e9))
  }
}
