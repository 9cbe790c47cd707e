internal import NIOCore
internal import NIOHTTP1

/// A request without a response. It can be answered from any thread, once.
package struct PendingRequest: Sendable {
  package let request: Request
  /// Headers added to those of the response.
  private let headers: [(name: String, value: String)]
  private let connection: NIOLoopBound<Connection>
  private let loop: any EventLoop
  private let number: Int

  init(
    _ request: Request, _ headers: [(name: String, value: String)], _ connection: Connection,
    _ loop: any EventLoop, _ number: Int
  ) {
    self.request = request
    self.headers = headers
    self.connection = NIOLoopBound(connection, eventLoop: loop)
    self.loop = loop
    self.number = number
  }

  package func response(_ response: Response) {
    if loop.inEventLoop { send(response) } else { PendingRequest.response([(self, response)]) }
  }

  /// Sends several responses with one wake-up of the event loop.
  package static func response(_ responses: [(PendingRequest, Response)]) {
    responses.first?.0.loop.execute {
      for (pending, response) in responses { pending.send(response) }
    }
  }

  /// Sends the response and keeps it open as an event stream.
  package func begin(_ response: Response) -> Subscriber {
    let subscriber = Subscriber(connection, loop)
    loop.execute { send(response, subscriber) }
    return subscriber
  }

  private func send(_ response: Response, _ subscriber: Subscriber? = nil) {
    connection.value.response(response.with(headers), to: number, subscriber)
  }
}

/// A request whose response has not been sent. Responses leave in the order of their requests.
struct PipelineSlot {
  /// Number of the request on its connection, from 1.
  let number: Int
  /// nil: the request could not be read.
  let head: HTTPRequestHead?
  let began: NIODeadline
  /// Bytes of the request's body.
  let held: Int
  /// Headers added to those of the response.
  var headers = Response.guards
  /// Whether a handler has it.
  var isWorkedOn = false
  /// No request after this one is taken.
  let isLast: Bool
  var response: Response?
  /// nil: the response is not an event stream.
  var subscriber: Subscriber?
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
