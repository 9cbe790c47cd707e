internal import NIOHTTP1

/// A request, whole.
package struct Request: Sendable {
  package let method: String
  /// As it came, without the query.
  package let path: String
  package let query: String
  package let body: [UInt8]
  /// The address of who asks, without its port.
  package let client: String
  private let headers: HTTPHeaders

  init(_ head: HTTPRequestHead, body: [UInt8], client: String) {
    method = head.method.rawValue
    let target = Target(head.uri)
    path = target?.path ?? head.uri
    query = target?.query ?? ""
    headers = head.headers
    self.body = body
    self.client = client
  }

  /// Of several of this name the first; names in any case.
  package func header(_ name: String) -> String? { headers.first(name: name) }
}
