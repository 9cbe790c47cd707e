internal import PipeIntake
internal import PipeGateway
internal import PipeIO
internal import PipeQueue

/// A request to store something, read.
struct Post {
  enum Form {
    /// Answered without storing anything.
    case refused(Response)
    /// The status of success.
    case one(Int, Fate)
    case lines([PostedLine])
  }

  enum Fate {
    /// Which receipt will be its; once the group is committed: is.
    case drafted(Int)
    case rejected(Rejection)
    /// Good, and yet not stored.
    case lost(Fault)
  }

  let pending: PendingRequest
  private(set) var form: Form
  /// Under a key: what is stored if it is new.
  let keyed: EntryContent?

  init(_ pending: PendingRequest, _ form: Form, keyed: EntryContent? = nil) {
    self.pending = pending
    self.form = form
    self.keyed = keyed
  }

  /// Lines that were judged bad.
  var rejected: Int { fates.count { if case .rejected = $0 { true } else { false } } }

  /// Good lines that were not stored.
  var lost: Int { fates.count { if case .lost = $0 { true } else { false } } }

  /// Whether any of it was drafted.
  var isDrafted: Bool { fates.contains { if case .drafted = $0 { true } else { false } } }

  /// The same, after it was seen what became of what was drafted.
  func settled(_ fate: (_ receipt: Int) -> Fate) -> Post {
    var post = self
    func settle(_ old: Fate) -> Fate {
      if case .drafted(let receipt) = old { fate(receipt) } else { old }
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

/// One line of several that were posted together.
struct PostedLine {
  /// Counts from 1.
  let number: Int
  /// Of the body, which is kept whole as long as any of them.
  let text: ArraySlice<UInt8>
  let fate: Post.Fate
}

/// What a body is said to be.
enum ContentType {
  case json, lines, other

  /// None counts as JSON. Parameters are passed over: JSON is UTF-8 whatever they say (RFC 8259, 11).
  init(_ header: String?) {
    let type = (header ?? "").prefix { $0 != ";" }.lowercased()
    switch type.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ") {
    case "", "application/json": self = .json
    case "application/x-ndjson", "application/jsonl": self = .lines
    case let type where type.hasPrefix("application/") && type.hasSuffix("+json"): self = .json
    default: self = .other
    }
  }
}

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
      throw Rejection("Idempotency-Key has characters other than printable ASCII")
    }
    guard text.utf8.count <= IdempotencyKey.longest else {
      throw Rejection("Idempotency-Key is longer than \(IdempotencyKey.longest) characters")
    }
    options = LineOptions.column(
      key: EntryLineReader.keyColumn(Array(text.utf8)), notBefore: nil, delay: nil)
  }
}
