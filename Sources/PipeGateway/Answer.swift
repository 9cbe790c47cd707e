internal import PipeJSON

/// What is sent back.
package struct Answer: Sendable {
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

  /// With more headers, but for those that it has of its own.
  func with(_ more: [(name: String, value: String)]) -> Answer {
    var answer = self
    answer.headers += more.filter { new in !headers.contains { $0.name == new.name } }
    return answer
  }

  package static let json = "application/json"

  /// What goes with all answers: no browser is to take what is sent for anything else, or to
  /// keep it.
  package static let guards: [(name: String, value: String)] = [
    ("x-content-type-options", "nosniff"), ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
  ]

  /// `{"detail":"…","status_code":N}`
  package static func error(
    _ status: Int, _ detail: String, headers: [(name: String, value: String)] = []
  ) -> Answer {
    var detail = detail
    var body = Array(#"{"detail":"#.utf8)
    detail.withUTF8 { appendJSONString(UnsafeRawBufferPointer($0), to: &body) }
    body += #","status_code":\#(status)}"#.utf8
    return Answer(status, json, body, headers: headers)
  }
}
