internal import PipeGateway
internal import PipeIO

extension Response {
  /// The response to an operation that failed and may succeed later.
  static func unavailable(_ fault: Fault) -> Response {
    .error(503, fault.text, headers: [("retry-after", "1")])
  }
}
