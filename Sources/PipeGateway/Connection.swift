internal import NIOCore
internal import NIOHTTP1

/// One connection: assembles requests and sends their responses in order, although handlers may
/// process several at the same time.
final class Connection: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = HTTPServerResponsePart

  enum Reading {
    case nothing
    case request(HTTPRequestHead, began: NIODeadline)
    /// Input is discarded: nothing after the last request is read.
    case waste
  }

  let all: Connections
  private(set) var context: ChannelHandlerContext?
  private(set) var client = ""
  var slots = CircularBuffer<PipelineSlot>(initialCapacity: 1)
  /// The event stream sent on this connection, if any.
  var view: View?
  /// Requests not yet passed to a handler.
  var waiting = CircularBuffer<PendingRequest>(initialCapacity: 1)
  /// Number of requests that handlers have, and whether they are small posts, which others may
  /// join.
  var inHand = 0
  var isLightInHand = false
  var reading = Reading.nothing
  /// The request being read, without its body.
  var request: Request?
  var reception = Admission()
  var body: [UInt8] = []
  /// Body bytes received of a refused request.
  var wasted = 0
  var count = 0
  var deadline = NIODeadline.distantFuture
  /// Deadline for the client to take some of what was sent to it.
  private var stalled = NIODeadline.distantFuture
  private var isReadWanted = false
  /// The client waits for 100 Continue before it sends the body.
  var isContinueOwed = false
  /// The client has closed its sending side, but may still read.
  private(set) var isInputOver = false
  /// The decoder has stopped: further input would pile up in it.
  var decoderStopped = false

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
    for slot in slots { slot.leave(all) }
    slots.removeAll()
    leaveView()
    waiting.removeAll()
    all.remove(self)
  }

  func dropBody() {
    all.release(body.count)
    body.removeAll()
  }

  var isBetweenRequests: Bool {
    if case .nothing = reading { slots.isEmpty } else { false }
  }

  func allow(_ time: TimeAmount) { deadline = .now() + time }

  /// Sets a deadline that later calls do not extend.
  func allowAtMost(_ time: TimeAmount) { deadline = min(deadline, .now() + time) }

  func allowForEver() { deadline = .distantFuture }

  func ignoreTheRest() {
    dropBody()
    reading = .waste
    allowForEver()
  }

  /// Closes a connection whose client has neither sent nor read in time. A request that did not
  /// arrive in time gets a 408 first.
  func expire(_ now: NIODeadline) {
    if now > deadline, now <= stalled, case .request = reading, !all.isEnding {
      return refuse(RequestError.slow)
    }
    if now > min(deadline, stalled) { context?.close(promise: nil) }
  }

  /// The server is stopping: requests received or begun are answered, and no others.
  func finish() {
    if isBetweenRequests { context?.close(promise: nil) }
    endView()
    if case .request = reading { allow(all.limits.partingTime) }
    if context?.channel.isWritable == false { stalled = .now() + all.limits.partingTime }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch (error, reading) {
    // Errors after malformed HTTP, which has already been refused.
    case (is ByteToMessageDecoderError, _), (is HTTPParserError, .waste): return
    case (let error as HTTPParserError, _): refuse(RequestError(error))
    // Blanks before a header value, for example, which none of the decoder's limits counts.
    case (is ByteToMessageDecoderError.PayloadTooLargeError, .nothing):
      refuse(RequestError(.headerOverflow))
    default: context.close(promise: nil)
    }
  }

  // The decoder has already reported a request that was cut off. Half-closed clients may still
  // read.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event as? ChannelEvent == .inputClosed else { return }
    isInputOver = true
    if slots.isEmpty { context.close(promise: nil) }
  }

  // Back-pressure: a client that sends without waiting for responses, or without reading them, is
  // not read.
  func read(context: ChannelHandlerContext) {
    if mayRead { context.read() } else { isReadWanted = true }
  }

  func readOn() {
    guard isReadWanted, mayRead else { return }
    isReadWanted = false
    context?.read()
  }

  private var mayRead: Bool {
    if case .waste = reading { return !decoderStopped }
    return slots.count < all.limits.slots && context?.channel.isWritable == true
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let time = all.isEnding ? all.limits.partingTime : all.limits.idleTime
    stalled = context.channel.isWritable ? .distantFuture : .now() + time
    handOn()
    readOn()
  }
}
