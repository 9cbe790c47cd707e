internal import PipeIO
internal import PipeQueue

/// What is stored for a group of requests: all of it, in their order, or nothing.
struct IngestCommit {
  /// An earlier entry may answer; that costs a look at the index of the last entries.
  private let guarding: Appender
  private let plain: Appender
  private var draft = WriteBatch()
  private var isGuarded = false
  /// Why nothing of it was stored.
  private(set) var fault: Fault?

  /// `window`: microseconds in which an equal entry answers, but for entries that may repeat one.
  init(_ queue: Queue, window: Int64) {
    guarding = Appender(queue, dedup: window)
    plain = Appender(queue)
  }

  mutating func begin() {
    draft.removeAll()
    isGuarded = false
    fault = nil
  }

  /// Returns which receipt will be its.
  mutating func append(_ entry: NewEntry, _ data: [UInt8]) -> Int {
    isGuarded = isGuarded || !entry.mayRepeat
    data.withUnsafeBytes { draft.append(entry, data: $0) }
    return draft.receipts.count - 1
  }

  mutating func store() {
    if draft.isEmpty { return }
    do throws(Fault) { try (isGuarded ? guarding : plain).commit(&draft) } catch { fault = error }
  }

  /// Whether anything new is on disk.
  var hasStored: Bool { fault == nil && draft.receipts.contains { !$0.isDuplicate } }

  func receipt(_ index: Int) -> Receipt { draft.receipts[index] }

  func rest() {
    guarding.pruneSome()
    plain.pruneSome()
  }
}
