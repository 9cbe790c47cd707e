internal import Logging
internal import PipeGateway
internal import PipeIO
internal import PipeIntake
internal import PipeEngine
internal import PipeRender
internal import PipeTime

/// Stores posted entries: requests that arrive together share one commit, and each is answered when
/// the commit is on disk.
struct IngestHandler {
  private let queue: Queue
  private let diskHealth: Health
  private let diagnostics: Logger
  private var reader: PostReader
  private var commit: IngestCommit
  /// The kind of failure last reported; nil: commits succeed.
  private var lastFault: Fault.Kind?
  /// No report is written before this time (`Clock.steady`).
  private var quietUntil: SteadyInstant = .boot

  /// `window`: the time for which an equal id request, or the same key, gets the earlier id.
  init(
    _ queue: Queue, requirements: [Requirement], window: TimeSpan, _ diskHealth: Health,
    _ diagnostics: Logger
  ) {
    self.queue = queue
    self.diskHealth = diskHealth
    self.diagnostics = diagnostics
    reader = PostReader(slice: queue.settings.slice, requirements: requirements)
    commit = IngestCommit(queue, window: window)
  }

  /// Bytes of bodies in one commit. Bodies of short lines take a hundred times as much memory.
  private static let most = 1 << 20

  mutating func serve(_ requests: [PendingRequest]) {
    var group: [PendingRequest] = []
    var size = 0
    for pending in requests {
      if size + pending.request.body.count > IngestHandler.most, !group.isEmpty {
        store(group)
        group.removeAll()
        size = 0
      }
      group.append(pending)
      size += pending.request.body.count
    }
    store(group)
    commit.prune()
  }

  private mutating func store(_ requests: [PendingRequest]) {
    commit.begin()
    reader.begin()
    let posts = requests.map { reader.read($0, &commit) }
    commit.store()
    // A group that does not fit may still fit request by request.
    let isTooMuch = commit.fault?.kind == .tryLater && requests.count > 1
    let again = isTooMuch ? posts.filter(\.isBatched) : []
    let served = (isTooMuch ? posts.filter { !$0.isBatched } : posts)
      .map { post in post.settled { fate($0, of: post) } }
    count(served)
    if again.isEmpty { logHealthChange() }
    PendingRequest.respond(served.map { ($0.pending, response($0)) })
    for post in again { store([post.pending]) }
  }

  // A key used again must come with the same request.
  private func fate(_ index: Int, of post: Post) -> Post.Result {
    if let fault = commit.fault { return .lost(fault) }
    let receipt = commit.receipt(index)
    guard let keyed = post.keyed, receipt.isDuplicate else { return .batched(index) }
    do throws(Fault) {
      guard let stored = try queue.content(of: receipt.id) else {
        throw Fault(.inputOutput, "\(receipt.id.text): the stored entry can no longer be read")
      }
      if stored == keyed { return .batched(index) }
      return .rejected(Rejection("this Idempotency-Key was used for a different request"))
    } catch { return .lost(error) }
  }

  private func response(_ post: Post) -> Response {
    switch post.form {
    case .refused(let response): response
    case .one(_, .rejected(let rejection)): rejection.response
    case .one(_, .lost(let fault)): .unavailable(fault)
    case .one(let status, .batched(let index)): .receipt(status, commit.receipt(index))
    case .lines(let lines): response(lines)
    }
  }

  private func response(_ lines: [PostedLine]) -> Response {
    let output = Output()
    var stored = 0
    var fault: Fault?
    for line in lines {
      switch line.fate {
      case .rejected(let rejection): RejectLine.append(rejection, line, to: output)
      case .lost(let found):
        fault = found
        RejectLine.append(Rejection("not stored: \(found.text)"), line, to: output)
      case .batched(let index):
        ReceiptLine.append(commit.receipt(index), to: output)
        stored += 1
      }
    }
    if let fault, stored == 0 { return .unavailable(fault) }
    return Response(stored > 0 ? 202 : 400, Response.lines, output.bytes)
  }

  private func count(_ posts: [Post]) {
    let rejected = posts.reduce(0) { $0 + $1.rejected }
    let lost = posts.reduce(0) { $0 + $1.lost }
    if rejected > 0 { try? queue.count(.failedValidations, rejected) }
    if lost > 0 { try? queue.count(.ingestionErrors, lost) }
  }

  // Reports changes only, at most once a second: not each failed request, and not each time a
  // nearly full disk takes one request and refuses the next.
  private mutating func logHealthChange() {
    diskHealth.note(commit.fault, hasStored: commit.hasStored)
    guard Clock.steady() >= quietUntil else { return }
    if let fault = commit.fault, fault.kind != lastFault {
      diagnostics.error("\(fault.text)")
      lastFault = fault.kind
    } else if commit.hasStored, lastFault != nil {
      diagnostics.notice("entries are being stored again")
      lastFault = nil
    } else {
      return
    }
    quietUntil = Clock.steady() + .seconds(1)
  }
}

extension Response {
  static let lines = "application/x-ndjson"

  /// A client that repeats a request must not tell a duplicate from the first answer.
  static func receipt(_ status: Int, _ receipt: Receipt) -> Response {
    var body: [UInt8] = []
    var receipt = receipt
    receipt.isDuplicate = false
    ReceiptLine.append(receipt, to: &body)
    return Response(status, Response.json, body)
  }
}

/// One commit for a group of requests: it stores all of their entries in order, or none; after a
/// failed flush the outcome is unknown.
struct IngestCommit {
  /// Looks for duplicates, which costs a lookup in the index of recent entries.
  private let guarding: Appender
  private let plain: Appender
  private var writeBatch = WriteBatch()
  private var isGuarded = false
  /// Why the commit failed; nil: all entries are stored.
  private(set) var fault: Fault?

  /// `window`: the time for which an equal entry gets the earlier id, except entries that may
  /// repeat.
  init(_ queue: Queue, window: TimeSpan) {
    guarding = Appender(queue, dedup: window)
    plain = Appender(queue)
  }

  mutating func begin() {
    writeBatch.removeAll()
    writeBatch.hasForeignIDs = false
    isGuarded = false
    fault = nil
  }

  /// Returns the index of the entry's receipt. `hasForeignID`: the queue may already have the id.
  mutating func append(_ entry: NewEntry, _ data: [UInt8], hasForeignID: Bool = false) -> Int {
    isGuarded = isGuarded || !entry.mayRepeat
    writeBatch.hasForeignIDs = writeBatch.hasForeignIDs || hasForeignID
    data.withUnsafeBytes { writeBatch.append(entry, data: $0) }
    return writeBatch.receipts.count - 1
  }

  mutating func store() {
    if writeBatch.isEmpty { return }
    do throws(Fault) { try (isGuarded ? guarding : plain).commit(&writeBatch) } catch {
      fault = error
    }
  }

  /// Whether anything new is on disk.
  var hasStored: Bool { fault == nil && writeBatch.receipts.contains { !$0.isDuplicate } }

  func receipt(_ index: Int) -> Receipt { writeBatch.receipts[index] }

  func prune() {
    guarding.pruneSome()
    plain.pruneSome()
  }
}
