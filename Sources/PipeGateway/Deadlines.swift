internal import NIOCore
internal import NIOHTTP1

/// Limits on one client and on all clients together.
package struct ConnectionLimits: Sendable {
  /// Bytes of a body.
  package var body: Int
  /// Open connections; a further one is closed at once.
  package var connections: Int

  package init(body: Int, connections: Int) {
    self.body = body
    self.connections = connections
  }

  /// Bytes of all unanswered bodies and of all large responses not yet taken, together.
  var bodies: Int { max(64 << 20, 4 * body) }
  /// From the head of a request to its end; also from connecting to the first head.
  let requestTime = TimeAmount.seconds(30)
  /// From a response to the head of the next request.
  let idleTime = TimeAmount.seconds(75)
  /// How long a client may still send after the last response before it is cut off; also how long a
  /// request that has begun may take, and a response stay unread, once the server is stopping.
  let lingeringCloseTime = TimeAmount.seconds(5)
  /// How long the client of an event stream may leave events unread.
  let unreadEventTime = TimeAmount.seconds(10)

  /// Requests of one connection without a response; also small posts of one connection that
  /// handlers may have at the same time.
  let slots = 64
  /// Bytes that the decoder may keep: the longest headers, and the input read with them.
  let undecoded = 128 << 10

  var decoder: NIOHTTPDecoderLimitConfiguration {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = 16 << 10
    limits.maxHeaderListSize = 64 << 10
    limits.maxHeaderFieldCount = 100
    return limits
  }
}

/// The times at which a connection ends because its client has neither sent nor read.
struct Deadlines {
  enum Expiry {
    /// The client has not sent in time, or not read the last events.
    case late
    /// The client has taken nothing of what was sent to it.
    case stalled
  }

  private let limits: ConnectionLimits
  private var deadline = NIODeadline.distantFuture
  /// For the client to take some of what was sent to it.
  private var stalled = NIODeadline.distantFuture

  init(_ limits: ConnectionLimits) { self.limits = limits }

  /// For a request to arrive: from connecting to its head, and from its head to its end.
  mutating func setRequestDeadline(at now: NIODeadline = .now()) {
    deadline = now + limits.requestTime
  }

  /// For the next request to begin.
  mutating func setIdleDeadline(at now: NIODeadline = .now()) { deadline = now + limits.idleTime }

  /// For the client to close after the last response.
  mutating func setLingeringClose(at now: NIODeadline = .now()) {
    deadline = now + limits.lingeringCloseTime
  }

  /// For the client to read earlier events. Later calls do not extend it.
  mutating func setEventDeadline(at now: NIODeadline = .now()) {
    deadline = min(deadline, now + limits.unreadEventTime)
  }

  /// The client owes nothing: it waits for a response or an event.
  mutating func clearDeadline() { deadline = .distantFuture }

  /// Starts the deadline for taking output when the output buffer is full, and stops it when there is
  /// room again.
  mutating func setWritable(
    _ isWritable: Bool, isStopping: Bool, at now: NIODeadline = .now()
  ) {
    let time = isStopping ? limits.lingeringCloseTime : limits.idleTime
    stalled = isWritable ? .distantFuture : now + time
  }

  /// The server is stopping: a request that has begun, and a response not yet taken, get less time.
  mutating func stop(isReading: Bool, isWritable: Bool, at now: NIODeadline = .now()) {
    if isReading { setLingeringClose(at: now) }
    if !isWritable { stalled = now + limits.lingeringCloseTime }
  }

  /// nil: no time is over.
  func expiry(at now: NIODeadline) -> Expiry? {
    if now > stalled { return .stalled }
    return now > deadline ? .late : nil
  }
}
