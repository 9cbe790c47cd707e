internal import NIOCore
internal import PipeIO
internal import PipeJSON
internal import PipeTime

/// The response to a request, without the headers that its connection adds.
package struct Response: Sendable {
  package let status: Int
  package private(set) var headers: [(name: String, value: String)]
  package let body: [UInt8]

  package init(
    _ status: Int, _ type: String? = nil, _ body: [UInt8] = [],
    headers: [(name: String, value: String)] = []
  ) {
    self.status = status
    self.body = body
    self.headers = (type.map { [("content-type", $0)] } ?? []) + headers
  }

  /// Adds headers, except those that the response already has.
  func with(_ more: [(name: String, value: String)]) -> Response {
    var response = self
    response.headers += more.filter { new in !headers.contains { $0.name == new.name } }
    return response
  }

  package static let json = "application/json"

  /// Headers of all responses: no browser may guess another content type or cache the body.
  package static let guards: [(name: String, value: String)] = [
    ("x-content-type-options", "nosniff"), ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
  ]

  /// `{"detail":"…","status_code":N}`
  package static func error(
    _ status: Int, _ detail: String, headers: [(name: String, value: String)] = []
  ) -> Response {
    var detail = detail
    var body = Array(#"{"detail":"#.utf8)
    detail.withUTF8 { appendJSONString(UnsafeRawBufferPointer($0), to: &body) }
    body += #","status_code":\#(status)}"#.utf8
    return Response(status, json, body, headers: headers)
  }
}

enum HTTPDate {
  /// The form of RFC 9110 (5.6.7): `Sat, 21 Nov 2026 05:00:00 GMT`.
  static func text(_ instant: Instant = Clock.now()) -> String {
    let seconds = floorDivide(instant.microseconds, by: 1_000_000)
    let day = floorDivide(seconds, by: 86_400)
    let date = CivilDate(daysSinceEpoch: day)
    let rest = seconds - day * 86_400
    let clock = [rest / 3600, rest / 60 % 60, rest % 60].map(two).joined(separator: ":")
    let name = days[Int(day - 7 * floorDivide(day, by: 7))]
    return "\(name), \(two(date.day)) \(months[Int(date.month) - 1]) \(date.year) \(clock) GMT"
  }

  // From the weekday of 1 January 1970.
  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

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
