internal import PipeGateway
internal import PipeIntake
internal import PipeIO
internal import PipeQueue

/// A request to store entries, after its body is read.
struct Post {
  enum Form {
    /// The response to a request that stores nothing.
    case refused(Response)
    /// The status if it succeeds.
    case one(Int, Fate)
    case lines([PostedLine])
  }

  enum Fate {
    /// In the write batch: the index of its receipt, valid once the group is committed.
    case batched(Int)
    case rejected(Rejection)
    /// Valid, but not stored.
    case lost(Fault)
  }

  let pending: PendingRequest
  private(set) var form: Form
  /// For a request with a key: the content stored if the key is new.
  let keyed: EntryContent?

  init(_ pending: PendingRequest, _ form: Form, keyed: EntryContent? = nil) {
    self.pending = pending
    self.form = form
    self.keyed = keyed
  }

  /// Number of invalid lines.
  var rejected: Int { fates.count { if case .rejected = $0 { true } else { false } } }

  /// Number of valid lines that were not stored.
  var lost: Int { fates.count { if case .lost = $0 { true } else { false } } }

  /// Whether any of its entries is in the write batch.
  var isBatched: Bool { fates.contains { if case .batched = $0 { true } else { false } } }

  /// The same post with the outcome of each entry that was in the write batch.
  func settled(_ fate: (_ receipt: Int) -> Fate) -> Post {
    var post = self
    func settle(_ old: Fate) -> Fate {
      if case .batched(let receipt) = old { fate(receipt) } else { old }
    }
    switch form {
    case .refused: break
    case .one(let status, let old): post.form = .one(status, settle(old))
    case .lines(let lines):
      post.form = .lines(
        lines.map { PostedLine(number: $0.number, text: $0.text, fate: settle($0.fate)) })
    }
    return post
  }

  private var fates: [Fate] {
    switch form {
    case .refused: []
    case .one(_, let fate): [fate]
    case .lines(let lines): lines.map(\.fate)
    }
  }
}

/// One line of a body with several.
struct PostedLine {
  /// Counts from 1.
  let number: Int
  /// A slice of the body, which stays in memory as long as any of its lines.
  let text: ArraySlice<UInt8>
  let fate: Post.Fate
}

/// The client's name for a request, so that it may send the request again. Bytes count as received:
/// `"a"` is another key than `a`.
struct IdempotencyKey {
  /// Longest key, in characters.
  private static let longest = 4096

  /// The options column of the entry in its segment.
  let options: [UInt8]?

  /// nil: the request has no key.
  init?(_ request: Request) throws(Rejection) {
    guard let text = request.header("idempotency-key") else { return nil }
    if text.isEmpty { throw Rejection("Idempotency-Key is empty") }
    // The encoding of other bytes is unknown, and invalid UTF-8 has already been replaced.
    guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
      throw Rejection("Idempotency-Key has characters other than printable ASCII")
    }
    guard text.utf8.count <= IdempotencyKey.longest else {
      throw Rejection("Idempotency-Key is longer than \(IdempotencyKey.longest) characters")
    }
    options = LineOptions.column(
      key: EntryLineReader.keyColumn(Array(text.utf8)), notBefore: nil, delay: nil)
  }
}
