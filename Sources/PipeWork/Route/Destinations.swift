package import PipeIO
package import PipeQueue

/// A queue that entries are moved to.
package final class Destination {
  /// As it was given.
  let name: String
  let queue: Queue
  private let appender: Appender
  private var draft = WriteBatch()
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

/// The queues that were named, each opened once; those that are not there are created.
package final class Destinations {
  private let origin: Queue
  private let force: Bool
  private let diagnostics: Diagnostics
  package private(set) var all: [Destination] = []

  package init(_ origin: Queue, force: Bool, _ diagnostics: Diagnostics) {
    self.origin = origin
    self.force = force
    self.diagnostics = diagnostics
  }

  package func named(_ name: String) throws(Fault) -> Destination {
    let queue = try QueueLocation(path: name, force: force).create(diagnostics)
    if queue.isSame(as: origin) {
      throw Fault(
        .usage, "\(printable(name)): is the queue that entries are taken from; name another")
    }
    if let known = all.first(where: { $0.queue.isSame(as: queue) }) { return known }
    let destination = Destination(name, queue)
    all.append(destination)
    return destination
  }
}
