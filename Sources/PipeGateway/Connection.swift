internal import NIOCore
internal import NIOHTTP1

/// One connection: puts requests together, and has them answered in their order, though they are worked on
/// at the same time.
final class Connection: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = HTTPServerResponsePart

  enum Reading {
    case nothing
    case request(HTTPRequestHead, began: NIODeadline)
    /// What comes is thrown away: nothing behind the last request is taken.
    case waste
  }

  let all: Connections
  private(set) var context: ChannelHandlerContext?
  private(set) var client = ""
  var slots = CircularBuffer<PipelineSlot>(initialCapacity: 1)
  /// What goes on here, if something does.
  var view: View?
  /// Those of the turns that are not worked on yet.
  var waiting = CircularBuffer<PendingRequest>(initialCapacity: 1)
  /// How many are, and whether others may be beside them.
  var inHand = 0
  var isLightInHand = false
  var reading = Reading.nothing
  /// That which is being read, without its body.
  var request: Request?
  var reception = Admission()
  var body: [UInt8] = []
  /// Bytes of the body of a request that goes no further.
  var wasted = 0
  var count = 0
  var deadline = NIODeadline.distantFuture
  /// Until when the client is to take some of what was sent to it.
  private var stalled = NIODeadline.distantFuture
  private var isReadWanted = false
  /// The client waits to be told to send the body.
  var isContinueOwed = false
  /// The client sends nothing more, but may still read.
  private(set) var isInputOver = false
  /// The decoder has stopped: what it was given would pile up there.
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
    if now > deadline, now <= stalled, case .request = reading, !all.isEnding {
      return refuse(RequestError.slow)
    }
    if now > min(deadline, stalled) { context?.close(promise: nil) }
  }

  /// The server ends: what was asked is answered, and nothing else.
  func finish() {
    if isBetweenRequests { context?.close(promise: nil) }
    endView()
    if case .request = reading { allow(all.limits.partingTime) }
    if context?.channel.isWritable == false { stalled = .now() + all.limits.partingTime }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch (error, reading) {
    // Of what comes behind something that is not HTTP.
    case (is ByteToMessageDecoderError, _), (is HTTPParserError, .waste): return
    case (let error as HTTPParserError, _): refuse(RequestError(error))
    // Such as blanks in front of a value, which no limit of the decoder counts.
    case (is ByteToMessageDecoderError.PayloadTooLargeError, .nothing):
      refuse(RequestError(.headerOverflow))
    default: context.close(promise: nil)
    }
  }

  // The decoder has told before of a request that was cut off. Who has sent all it wants may yet read.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event as? ChannelEvent == .inputClosed else { return }
    isInputOver = true
    if slots.isEmpty { context.close(promise: nil) }
  }

  // A client that sends on and on without waiting for answers, or without reading them, is left waiting.
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
