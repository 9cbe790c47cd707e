internal import Logging
internal import PipeGateway
internal import PipeIO
internal import PipeQueue

/// Stores what is posted: requests that came together share one commit, and each is answered when that is on
/// disk.
struct IntakeClerk {
  private let queue: Queue
  private let diagnostics: Logger
  private var reader: PostReader
  /// What an earlier entry may answer for, id requests and what has a key; and what it may not.
  private var guarded: Commit
  private var plain: Commit
  /// What was last said of commits that failed.
  private var trouble: String?

  /// Microseconds in which an equal id request, or the same key, is answered with the same id.
  private static let window: Int64 = 300_000_000

  init(_ queue: Queue, requirements: [Requirement], _ diagnostics: Logger) {
    self.queue = queue
    self.diagnostics = diagnostics
    reader = PostReader(slice: queue.settings.slice, requirements: requirements)
    guarded = Commit(Appender(queue, dedup: IntakeClerk.window))
    plain = Commit(Appender(queue))
  }

  mutating func serve(_ exchanges: [Exchange]) {
    store(exchanges)
    guarded.rest()
    plain.rest()
  }

  private mutating func store(_ exchanges: [Exchange]) {
    guarded.begin()
    plain.begin()
    reader.begin()
    let posts = exchanges.map { reader.read($0, &guarded.draft, &plain.draft) }
    guarded.store()
    plain.store()
    // What is too much together may have room one by one.
    let again = exchanges.count > 1 ? posts.filter { $0.drafted.contains(where: mayFit) } : []
    let served = again.isEmpty ? posts : posts.filter { !$0.drafted.contains(where: mayFit) }
    count(served)
    tell()
    Exchange.answer(served.map { ($0.exchange, answer($0)) })
    for post in again { store([post.exchange]) }
  }

  private func commit(_ drafted: Drafted) -> Commit { drafted.isGuarded ? guarded : plain }

  private func mayFit(_ drafted: Drafted) -> Bool { commit(drafted).fault?.kind == .tryLater }

  private func answer(_ post: Post) -> Answer {
    switch post.form {
    case .refused(let answer): answer
    case .one(_, .rejected(let rejection)): rejection.answer
    case .one(let status, .drafted(let drafted)): answer(post, status, drafted)
    case .lines(let lines): answer(lines)
    }
  }

  private func answer(_ post: Post, _ status: Int, _ drafted: Drafted) -> Answer {
    let commit = commit(drafted)
    if let fault = commit.fault { return .unavailable(fault) }
    let receipt = commit.draft.receipts[drafted.index]
    if receipt.isDuplicate, let keyed = post.keyed {
      do throws(Fault) {
        guard try queue.data(of: receipt.id) == keyed else {
          return .error(422, "another body was sent under this Idempotency-Key")
        }
      } catch { return .unavailable(error) }
    }
    return .receipt(status, receipt.id)
  }

  private func answer(_ lines: [PostedLine]) -> Answer {
    let output = Output()
    var stored = 0
    var fault: Fault?
    for line in lines {
      switch line.fate {
      case .rejected(let rejection): RejectLine.append(rejection, line, to: output)
      case .drafted(let drafted):
        let commit = commit(drafted)
        if let found = commit.fault {
          fault = found
          RejectLine.append(Rejection("not stored: \(found.text)"), line, to: output)
        } else {
          ReceiptLine.append(commit.draft.receipts[drafted.index], to: output)
          stored += 1
        }
      }
    }
    if let fault, stored == 0 { return .unavailable(fault) }
    return Answer(stored > 0 ? 202 : 400, Answer.lines, output.bytes)
  }

  private func count(_ posts: [Post]) {
    let rejected = posts.reduce(0) { $0 + $1.rejected }
    let lost = posts.reduce(0) { $0 + $1.drafted.count { commit($0).fault != nil } }
    if rejected > 0 { try? queue.count(.failedValidations, rejected) }
    if lost > 0 { try? queue.count(.ingestionErrors, lost) }
  }

  // Once, and not for each request that meets it.
  private mutating func tell() {
    let fault = guarded.fault ?? plain.fault
    if let fault, fault.text != trouble { diagnostics.error("\(fault.text)") }
    if fault == nil, trouble != nil { diagnostics.notice("entries are stored again") }
    trouble = fault?.text
  }
}
