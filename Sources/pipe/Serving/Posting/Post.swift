internal import PipeGateway
internal import PipeIO
internal import PipeQueue

/// A request to store something, read.
struct Post {
  enum Form {
    /// Answered without storing anything.
    case refused(Answer)
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

  let exchange: Exchange
  private(set) var form: Form
  /// Under a key: what is stored if it is new.
  let keyed: EntryContent?

  init(_ exchange: Exchange, _ form: Form, keyed: EntryContent? = nil) {
    self.exchange = exchange
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
