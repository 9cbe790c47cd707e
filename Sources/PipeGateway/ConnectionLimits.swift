internal import NIOCore
internal import NIOHTTP1

/// What clients may ask of the server.
package struct ConnectionLimits: Sendable {
  /// Bytes of a body.
  package var body: Int
  /// Connections at once; a further one is closed at once.
  package var connections: Int

  package init(body: Int, connections: Int) {
    self.body = body
    self.connections = connections
  }

  /// Bytes of all bodies that have not been answered, and of long answers that have not been taken, together.
  var bodies: Int { max(64 << 20, 4 * body) }
  /// From the head of a request to its end, and to the first head of all.
  let requestTime = TimeAmount.seconds(30)
  /// From an answer to the head of the next request.
  let idleTime = TimeAmount.seconds(75)
  /// How long a client whose request was refused half-way may go on sending before it is cut off, and how
  /// long a request that has begun may take when the server ends.
  let partingTime = TimeAmount.seconds(5)

  /// How long one whose answer goes on may leave unread what it was sent.
  let viewerTime = TimeAmount.seconds(10)

  /// Small posts of one connection that are worked on at once.
  let slots = 64

  /// Bytes that the decoder may keep: the longest headers, and what was read with them.
  let undecoded = 128 << 10

  var decoder: NIOHTTPDecoderLimitConfiguration {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = 16 << 10
    limits.maxHeaderListSize = 64 << 10
    limits.maxHeaderFieldCount = 100
    return limits
  }
}
