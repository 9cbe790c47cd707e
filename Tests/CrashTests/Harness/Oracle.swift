import Foundation
import Testing

/// The accepted and the delivered entries, recorded outside of the queue.
struct Oracle {
  private var fed: [Entry] = []
  /// Receipts: their ids, and the items that each promises.
  private(set) var promised: [(id: String, items: [String])] = []
  private(set) var deliveries: [String: Int] = [:]
  private(set) var delivered = 0
  /// Items that were claimed and not settled when a consumer died: these may come again.
  var held = 0

  /// These lines were given to an enqueue that printed `receipts`, in the order of the lines.
  mutating func feed(_ entries: [Entry], receipts: [String]) {
    fed += entries
    promised += zip(receipts, entries).map { ($0, $1.items) }
  }

  mutating func deliver(_ lines: [String]) {
    for line in lines { deliveries[line, default: 0] += 1 }
    delivered += lines.count
  }

  /// Number of deliveries beyond the first.
  var again: Int { delivered - deliveries.count }

  /// Promised items that were not delivered.
  var lost: [String] {
    promised.flatMap { id, items in
      items.filter { deliveries[$0] == nil }.map { "lost of \(id): \($0.prefix(200))" }
    }
  }

  /// Violations of the promises, in words.
  var complaints: [String] {
    var found: [String] = []
    let known = Set(fed.flatMap(\.items))
    for line in deliveries.keys where !known.contains(line) {
      found.append("torn or invented: \(line.prefix(200))")
    }
    found += lost
    for entry in fed {
      let count = entry.items.count { deliveries[$0] != nil }
      if count != 0, count != entry.items.count { found.append("half an entry: \(entry.line)") }
    }
    if again > held { found.append("\(again) delivered again, but only \(held) were held") }
    return found
  }
}

extension Oracle {
  /// Empties the queue with a fresh consumer, then checks all promises, and that the queue works.
  mutating func settle(_ queue: TestQueue, after story: @autoclosure () -> String) throws {
    let drained = try queue.drain()
    deliver(drained.delivered)
    var found = complaints
    let isCreated = drained.result.ending != .exited(66)
    if isCreated ? drained.result.ending != .exited(0) : !promised.isEmpty {
      found.append("the queue cannot be emptied")
    }
    if isCreated { found += try leftovers(queue) }
    found += try Oracle.passage(queue)
    if found.isEmpty { return }
    let list = found.prefix(20).joined(separator: "\n")
    Issue.record("\(list)\n\(story())\nthen emptied:\n\(drained.result)")
  }

  // Claims that are left, and receipts whose entries are not completed.
  private func leftovers(_ queue: TestQueue) throws -> [String] {
    var found = try queue.claims().map { "a claim is left: \($0)" }
    guard !promised.isEmpty else { return found }
    let result = try Command([Binary.path, "status", "-q", queue.path] + promised.map(\.id)).run()
    let completed = result.lines.count { $0.contains(#""status":"completed","batches""#) }
    if completed != promised.count { found.append("not all are completed:\n\(result)") }
    return found
  }

  // One more entry goes in, and comes out alone.
  private static func passage(_ queue: TestQueue) throws -> [String] {
    let entry = Entry.record(999_999)
    let stored = try queue.enqueue([entry])
    let drained = try queue.drain()
    return stored.receipts.count == 1 && drained.delivered == entry.items
      ? []
      : ["one more entry does not pass alone:\n\(stored)\n\(drained.result)\n\(drained.delivered)"]
  }
}
