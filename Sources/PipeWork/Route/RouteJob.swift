internal import Glibc
package import PipeEngine
internal import PipeIntake
package import PipeIO
package import PipeJSON
internal import PipeRender

/// `pipe route`: acknowledges an entry once it is on disk at its destinations, under its own id. A
/// run that ends in between leaves the entry unacknowledged; the next run finds its id at the
/// destinations and does not store it again.
package final class RouteJob {
  private let source: BatchSource
  private let claimer: Claimer
  private let table: RouteTable
  private let destinations: [Destination]
  private let diagnostics: Diagnostics
  private var unrouted = 0
  /// Items per claim; fewer while a destination has little room.
  private var size = RouteJob.batchItems
  /// Whether the wait for room was already reported.
  private var isWaiting = false

  private static let batchItems = 8192
  private static let batchBytes = 4 << 20

  package init(
    _ source: BatchSource, _ table: RouteTable, _ destinations: [Destination],
    _ diagnostics: Diagnostics
  ) {
    self.source = source
    self.table = table
    self.destinations = destinations
    self.diagnostics = diagnostics
    claimer = source.claimer
  }

  package func run() throws(Fault) -> Int32 {
    while let claim = try source.nextWaiting(size: size, bytes: RouteJob.batchBytes) {
      try moveOrWait(claim)
    }
    if source.mustDie != nil { return Exit.someFailed }
    try printCounts()
    if unrouted > 0 {
      diagnostics.say(
        "\(counted(unrouted, "item")) \(unrouted == 1 ? "has" : "have") no route: see pipe dead")
    }
    return unrouted > 0 ? Exit.someFailed : Exit.fine
  }

  // Moves a claim. A claim that does not fit is given back and the next one is half its size, down
  // to one item.
  private func moveOrWait(_ claim: consuming Claim) throws(Fault) {
    let items = claim.items.count
    var next: Destination?
    do throws(Fault) {
      try move(claim, &next)
      size = min(2 * size, RouteJob.batchItems)
      isWaiting = false
    } catch {
      if source.limits.follow, let away = next, away.queue.mayComeBack(after: error) {
        // Entries keep their ids: what was stored already is known by them.
        do throws(Fault) { return try away.queue.waitForServer(error) } catch {
          guard error.code == EINTR else { throw error }
          return
        }
      }
      guard error.kind == .tryLater, let full = next else { throw error }
      if items > 1 {
        size = items / 2
      } else if source.limits.follow {
        try waitForRoom(full, error)
      } else {
        throw error
      }
    }
  }

  private func waitForRoom(_ full: Destination, _ error: Fault) throws(Fault) {
    if !isWaiting { diagnostics.say("\(error.text); waiting for room") }
    isWaiting = true
    try full.queue.waitForRoom(or: source.signals)
  }

  /// `next`: the destination whose commit failed, when this throws.
  private func move(_ claim: consuming Claim, _ next: inout Destination?) throws(Fault) {
    var refused: [Int: String] = [:]
    do throws(Fault) {
      try claimer.forEachEntry(of: claim) { (entry, items) throws(Fault) in
        let chosen = table.destinations(of: entry)
        for destination in chosen { destination.add(entry) }
        if chosen.isEmpty {
          let reason = table.reason(entry)
          for item in items { refused[item] = reason }
        }
      }
      for destination in destinations {
        next = destination
        try destination.commit()
      }
    } catch {
      for destination in destinations { destination.forget() }
      try claimer.giveBack(claim)
      throw error
    }
    unrouted += refused.count
    if refused.isEmpty { return try claimer.done(claim) }
    _ = try claimer.settle(claim) { item in
      refused[item].map { .bury(Failure($0)) } ?? .done
    }
  }

  /// Prints `{"queue":"errors","entries":12}` for each destination.
  private func printCounts() throws(Fault) {
    let output = Output()
    for destination in destinations {
      output.append(#"{"queue":"#)
      output.appendString(destination.name.isUTF8 ? destination.name : printable(destination.name))
      output.append(",\"entries\":\(destination.stored)}\n")
    }
    try output.flush()
  }
}

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
