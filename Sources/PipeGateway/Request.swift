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
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = String(parts[0])
    query = parts.count > 1 ? String(parts[1]) : ""
    headers = head.headers
    self.body = body
    self.client = client
  }

  /// Of several of this name the first; names in any case.
  package func header(_ name: String) -> String? { headers.first(name: name) }
}
