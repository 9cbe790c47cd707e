internal import PipeIO
internal import PipeQueue

/// A queue that entries are moved to.
final class Destination {
  /// As it was given.
  let name: String
  let queue: Queue
  private let appender: Appender
  private var draft = Draft()
  /// Entries that were stored there.
  private(set) var stored = 0

  init(_ name: String, _ queue: Queue) {
    self.name = name
    self.queue = queue
    appender = Appender(queue)
  }

  func add(_ entry: StoredEntry) {
    // What was stored before a crash is not stored again.
    draft.hasForeignIDs = true
    draft.append(entry.entry, data: entry.data)
  }

  /// Stores what was added, all of it or nothing.
  func commit() throws(Fault) {
    guard !draft.isEmpty else { return }
    try appender.commit(&draft)
    stored += draft.receipts.count { !$0.isDuplicate }
    draft.removeAll()
    appender.pruneSome()
  }

  func forget() { draft.removeAll() }
}
