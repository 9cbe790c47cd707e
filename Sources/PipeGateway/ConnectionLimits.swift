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
