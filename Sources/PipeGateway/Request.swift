internal import NIOHTTP1

/// A request as handlers get it.
package struct Request: Sendable {
  package let method: String
  /// The path as received, without the query and without a slash at its end.
  package let path: String
  /// Empty until the body is read.
  package internal(set) var body: [UInt8] = []
  /// The client's address, without its port.
  package let client: String
  private let headers: HTTPHeaders

  init(_ head: HTTPRequestHead, client: String) {
    method = head.method.rawValue
    let target = Target(head.uri)
    path = Request.withoutSlash(target?.path ?? head.uri)
    headers = head.headers
    self.client = client
  }

  private static func withoutSlash(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") && !path.hasSuffix("//") ? String(path.dropLast()) : path
  }

  /// The first header of this name, in any case.
  package func header(_ name: String) -> String? { headers.first(name: name) }
}
