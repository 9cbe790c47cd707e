package import PipeIO
package import PipeJSON
package import PipeEngine

/// Maps an entry to its destinations.
package enum RouteTable {
  /// The destination that a member's value names, otherwise `otherwise`.
  case byValue(FieldPath, [String: Destination], otherwise: Destination?)
  /// All of them.
  case toAll([Destination])

  /// Empty if the entry has no route.
  func destinations(of entry: StoredEntry) -> [Destination] {
    switch self {
    case .toAll(let all): return all
    case .byValue(let path, let named, let otherwise):
      let value = try? RouteTable.value(at: path, of: entry)
      return (value.flatMap { named[$0] } ?? otherwise).map { [$0] } ?? []
    }
  }

  /// Why an entry has no route.
  func reason(_ entry: StoredEntry) -> String {
    guard case .byValue(let path, _, _) = self else { return "" }
    do throws(JSONFault) {
      guard let value = try RouteTable.value(at: path, of: entry) else {
        return "no route: no such member"
      }
      return "no route for \(printable(String(value.prefix(100))))"
    } catch { return "no route: \(error.reason.text)" }
  }

  /// A string's characters, or the text of a number, true, false or null; nil for anything else.
  private static func value(
    at path: FieldPath, of entry: StoredEntry
  ) throws(JSONFault) -> String? {
    guard entry.entry.ids == nil, let span = try find(path, in: entry.data) else { return nil }
    let text = UnsafeRawBufferPointer(rebasing: entry.data[span.range])
    switch span.kind {
    case .object, .array: return nil
    case .string: return String(decoding: decodeString(text), as: UTF8.self)
    default: return String(decoding: text, as: UTF8.self)
    }
  }
}

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
