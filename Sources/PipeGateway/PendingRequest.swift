internal import NIOCore

/// A request without a response. Any thread can respond to it, once.
package struct PendingRequest: Sendable {
  package let request: Request
  private let number: Int
  private let connection: NIOLoopBound<Connection>
  private let loop: any EventLoop

  /// `number`: of the request on its connection, from 1.
  init(_ request: Request, _ number: Int, _ connection: Connection, _ loop: any EventLoop) {
    self.request = request
    self.number = number
    self.connection = NIOLoopBound(connection, eventLoop: loop)
    self.loop = loop
  }

  package func respond(_ response: Response) {
    if loop.inEventLoop { send(response) } else { PendingRequest.respond([(self, response)]) }
  }

  /// Sends several responses with one wake-up of the event loop.
  package static func respond(_ responses: [(PendingRequest, Response)]) {
    responses.first?.0.loop.execute {
      for (pending, response) in responses { pending.send(response) }
    }
  }

  /// Sends the response and keeps it open as an event stream.
  package func beginEventStream(_ response: Response) -> Subscriber {
    let subscriber = Subscriber(connection, loop)
    loop.execute { send(response, subscriber) }
    return subscriber
  }

  private func send(_ response: Response, _ subscriber: Subscriber? = nil) {
    connection.value.respond(to: number, response, subscriber)
  }
}

/// The decision on a request by its head, before its body is read.
package struct Admission: Sendable {
  /// Headers added to those of the response, whether or not the request is refused.
  let headers: [(name: String, value: String)]
  /// The response if the request is refused.
  let refusal: Response?

  package init(
    headers: [(name: String, value: String)] = Response.guards, refusal: Response? = nil
  ) {
    self.headers = headers
    self.refusal = refusal
  }
}

/// One response, for the access log.
package struct AccessLogEntry: Sendable {
  package let client: String
  package let method: String
  /// The target as received, with its query.
  package let target: String
  package let status: Int
  /// Size of the response's body.
  package let bytes: Int
  /// From the request's head to its response.
  package let seconds: Double
}
