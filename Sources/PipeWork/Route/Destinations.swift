package import PipeIO
package import PipeQueue

/// A queue that entries are moved to.
package final class Destination {
  /// As given on the command line.
  let name: String
  let queue: Queue
  private let appender: Appender
  private var writeBatch = WriteBatch()
  /// Entries stored, without duplicates.
  private(set) var stored = 0

  init(_ name: String, _ queue: Queue) {
    self.name = name
    self.queue = queue
    appender = Appender(queue)
  }

  func add(_ entry: StoredEntry) {
    // Entries keep their ids, so those stored before a crash are recognized as duplicates.
    writeBatch.hasForeignIDs = true
    writeBatch.append(entry.entry, data: entry.data)
  }

  /// Stores all added entries or none.
  func commit() throws(Fault) {
    guard !writeBatch.isEmpty else { return }
    try appender.commit(&writeBatch)
    stored += writeBatch.receipts.count { !$0.isDuplicate }
    writeBatch.removeAll()
    appender.pruneSome()
  }

  func forget() { writeBatch.removeAll() }
}

/// The named queues, each opened once; missing queues are created.
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
