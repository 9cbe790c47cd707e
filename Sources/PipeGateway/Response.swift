internal import PipeJSON

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
