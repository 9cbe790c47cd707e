internal import PipeIO
internal import PipeQueue

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

  /// `window`: microseconds for which an equal entry gets the earlier id, except entries that may
  /// repeat.
  init(_ queue: Queue, window: Int64) {
    guarding = Appender(queue, dedup: window)
    plain = Appender(queue)
  }

  mutating func begin() {
    writeBatch.removeAll()
    isGuarded = false
    fault = nil
  }

  /// Returns the index of the entry's receipt.
  mutating func append(_ entry: NewEntry, _ data: [UInt8]) -> Int {
    isGuarded = isGuarded || !entry.mayRepeat
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
