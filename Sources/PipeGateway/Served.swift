/// A request that was answered, for the access log.
package struct Served: Sendable {
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
