import TestSupport
import Testing

extension Ledger {
  /// Checks the fates of stored items, empties the queue with a fresh consumer, then checks all
  /// promises, and that the queue works.
  mutating func settle(_ queue: TestQueue, after story: @autoclosure () -> String) throws {
    var found = items.isEmpty ? [] : try fateComplaints(queue)
    let drained = try queue.drain()
    deliver(drained.delivered)
    found += complaints
    let isCreated = drained.result.ending != .exited(66)
    if isCreated ? drained.result.ending != .exited(0) : !promised.isEmpty {
      found.append("the queue cannot be emptied")
    }
    if isCreated { found += try leftovers(queue) }
    found += try Ledger.passage(queue)
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
