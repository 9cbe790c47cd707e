internal import PipeGateway
internal import PipeQueue

/// What a client names a request by, so that it may send it again. Its bytes as they came: `"a"` is
/// another key than `a`.
struct IdempotencyKey {
  /// Characters.
  private static let longest = 4096

  /// As it stands in a segment.
  let options: [UInt8]?

  /// nil: the request has none.
  init?(_ request: Request) throws(Rejection) {
    guard let text = request.header("idempotency-key") else { return nil }
    if text.isEmpty { throw Rejection("Idempotency-Key is empty") }
    // How a client meant other bytes nobody knows, and what is not UTF-8 was replaced on its way here.
    guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
      throw Rejection("Idempotency-Key is not of printable ASCII characters")
    }
    guard text.utf8.count <= IdempotencyKey.longest else {
      throw Rejection("Idempotency-Key is longer than \(IdempotencyKey.longest) characters")
    }
    options = LineOptions.column(
      key: EntryLineReader.keyColumn(Array(text.utf8)), notBefore: nil, delay: nil)
  }
}
