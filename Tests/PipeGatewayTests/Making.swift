import NIOCore
import NIOHTTP1

@testable import PipeGateway

let limits = ConnectionLimits(body: 100, connections: 10)

/// An instant of the tests' own clock.
func second(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

/// A head with a Host header, and `more`.
func head(
  _ method: HTTPMethod = .GET, _ target: String = "/", _ more: [(String, String)] = [],
  version: HTTPVersion = .http1_1
) -> HTTPRequestHead {
  HTTPRequestHead(
    version: version, method: method, uri: target,
    headers: HTTPHeaders([("host", "localhost")] + more))
}

func request(
  _ method: HTTPMethod = .GET, _ target: String = "/", body: [UInt8] = []
) -> Request {
  var request = Request(head(method, target), client: "127.0.0.1")
  request.body = body
  return request
}

func slot(_ held: Int = 0) -> PipelineSlot {
  PipelineSlot(head: head(), began: second(0), held: held, headers: [], isLast: false)
}

extension Response {
  var text: String { String(decoding: body, as: UTF8.self) }
}
