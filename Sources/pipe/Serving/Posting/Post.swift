internal import PipeGateway

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
    /// Where it was drafted.
    case drafted(Drafted)
    case rejected(Rejection)
  }

  let exchange: Exchange
  let form: Form
  /// Under a key: what is stored if it is new.
  var keyed: [UInt8]?

  /// Lines that were judged bad.
  var rejected: Int { fates.count { if case .rejected = $0 { true } else { false } } }

  /// What of it was drafted.
  var drafted: [Drafted] {
    fates.compactMap { if case .drafted(let drafted) = $0 { drafted } else { nil } }
  }

  private var fates: [Fate] {
    switch form {
    case .refused: []
    case .one(_, let fate): [fate]
    case .lines(let lines): lines.map(\.fate)
    }
  }
}

/// An entry in one of the two drafts.
struct Drafted {
  /// Whether an earlier entry may answer for it.
  let isGuarded: Bool
  /// Of its receipt.
  let index: Int
}

/// One line of several that were posted together.
struct PostedLine {
  /// Counts from 1.
  let number: Int
  let text: [UInt8]
  let fate: Post.Fate
}
