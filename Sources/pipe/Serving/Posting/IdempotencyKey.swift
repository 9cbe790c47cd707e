internal import PipeGateway
internal import PipeQueue

/// What a client names a request by, so that it may send it again. Its bytes as they came: `"a"` is
/// another key than `a`.
struct IdempotencyKey {
  /// As it stands in a segment.
  let options: [UInt8]?

  /// nil: the request has none.
  init?(_ request: Request) throws(Rejection) {
    guard let text = request.header("idempotency-key") else { return nil }
    if text.isEmpty { throw Rejection("Idempotency-Key is empty") }
    // What is not UTF-8 was replaced on its way here: different keys might look the same.
    if text.unicodeScalars.contains("\u{fffd}") { throw Rejection("Idempotency-Key is not UTF-8") }
    options = LineOptions.column(
      key: EntryLineReader.keyColumn(Array(text.utf8)), notBefore: nil, delay: nil)
  }
}
