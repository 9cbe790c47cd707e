internal import NIOCore
internal import NIOHTTP1

/// A request that waits for its answer. It can be answered from any thread, once.
package struct PendingRequest: Sendable {
  package let request: Request
  /// What its answer has besides its own headers.
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

  /// Many at once wake the event loop once.
  package static func response(_ responses: [(PendingRequest, Response)]) {
    responses.first?.0.loop.execute {
      for (pending, response) in responses { pending.send(response) }
    }
  }

  /// Answers with this, and goes on with what the viewer is shown.
  package func begin(_ response: Response) -> Subscriber {
    let subscriber = Subscriber(connection, loop)
    loop.execute { send(response, subscriber) }
    return subscriber
  }

  private func send(_ response: Response, _ subscriber: Subscriber? = nil) {
    connection.value.response(response.with(headers), to: number, subscriber)
  }
}

/// A request whose answer has not been sent: answers go out in the order in which requests came.
struct PipelineSlot {
  /// Counts the requests of a connection.
  let number: Int
  /// nil: it could not be read.
  let head: HTTPRequestHead?
  let began: NIODeadline
  /// Bytes of its body.
  let held: Int
  /// What its answer has besides its own headers.
  var headers = Response.guards
  /// Whether it was given to who answers it.
  var isWorkedOn = false
  /// Nothing is taken behind it.
  let isLast: Bool
  var response: Response?
  /// nil: the answer ends.
  var subscriber: Subscriber?
}

/// What can be told of a request by its head, before its body is taken.
package struct Admission: Sendable {
  /// What its answer has besides its own headers, whatever that is.
  let headers: [(name: String, value: String)]
  /// Its answer, if it goes no further.
  let refusal: Response?

  package init(
    headers: [(name: String, value: String)] = Response.guards, refusal: Response? = nil
  ) {
    self.headers = headers
    self.refusal = refusal
  }
}

/// A request that was answered, for the access log.
package struct AccessLogEntry: Sendable {
  package let client: String
  package let method: String
  /// As it came, with its query.
  package let target: String
  package let status: Int
  /// Of the answer's body.
  package let bytes: Int
  /// From the request's head to its answer.
  package let seconds: Double
}
