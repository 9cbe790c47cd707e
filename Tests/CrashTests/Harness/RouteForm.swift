import Foundation
import TestSupport
import Testing

/// A way of using `route` that the crash tests go through: from one queue to others beside it.
struct RouteForm: CustomTestStringConvertible {
  let testDescription: String
  /// As on the command line, with `%` for the directory of the queues.
  let rules: [String]
  /// The entries that go to each target, by index.
  let targets: [String: [Int]]
  /// Whether the targets exist before, with something in them.
  var isExisting = true

  static let entries = EnqueueForm.mixed

  static let byValue = RouteForm(
    testDescription: "to one of two", rules: ["--on", "n", "1=%/a", "*=%/b"],
    targets: ["a": [0], "b": [1, 2, 3]])
  static let toAll = RouteForm(
    testDescription: "to each of two", rules: ["--to", "%/a", "--to", "%/b"],
    targets: ["a": [0, 1, 2, 3], "b": [0, 1, 2, 3]])
  static let toNew = RouteForm(
    testDescription: "to each of two that are new", rules: ["--to", "%/a", "--to", "%/b"],
    targets: ["a": [0, 1, 2, 3], "b": [0, 1, 2, 3]], isExisting: false)
  static let all = [byValue, toAll, toNew]

  func command(_ queue: TestQueue) -> Command {
    let rules = rules.map { $0.replacingOccurrences(of: "%", with: RouteForm.home(queue)) }
    return Command([Binary.path, "route", "-q", queue.path] + rules)
  }

  static func home(_ queue: TestQueue) -> String {
    URL(fileURLWithPath: queue.path).deletingLastPathComponent().path
  }

  private func target(_ name: String, _ queue: TestQueue) -> TestQueue {
    TestQueue("\(RouteForm.home(queue))/\(name)", queue.scratch)
  }

  func prepare(_ queue: TestQueue) throws {
    let home = RouteForm.home(queue)
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    let stored = try queue.enqueue(RouteForm.entries)
    guard stored.receipts.count == RouteForm.entries.count else { throw Failure("\(stored)") }
    guard isExisting else { return }
    for name in targets.keys {
      // Ids next to those that come.
      let older = try target(name, queue).enqueue([.record(900)])
      guard older.receipts.count == 1 else { throw Failure("\(older)") }
    }
  }

  /// Routes again, to the end; then each entry must be where it belongs, once, and nowhere else.
  func settle(_ queue: TestQueue, ids: [String], after story: @autoclosure () -> String) throws {
    var found: [String] = []
    let again = try command(queue).run()
    if again.ending != .exited(0) { found.append("\(again)") }
    for (name, indices) in targets {
      let target = target(name, queue)
      // Draining also finds entries that were stored right before a power cut.
      let came = try target.drain().delivered
      let older = isExisting ? Entry.record(900).items : []
      let wanted = (older + indices.flatMap { RouteForm.entries[$0].items }).sorted()
      if came.sorted() != wanted { found.append("\(name) has \(came), not \(wanted)") }
      let moved = indices.map { ids[$0] }
      let known = try Command([Binary.path, "status", "-q", target.path] + moved).run()
      if known.ending != .exited(0) { found.append("\(name): \(known)") }
    }
    let left = try queue.drain()
    if !left.delivered.isEmpty { found.append("left behind: \(left.delivered)") }
    if !found.isEmpty { Issue.record("\(found.joined(separator: "\n"))\n\(story())\n\(again)") }
  }
}
