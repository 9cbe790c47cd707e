import Foundation
import TestSupport

// Fates of stored items.
extension Ledger {
  /// Empties the queue, lets all time pass, empties it again, and checks that each stored item is in
  /// exactly one state, which was allowed; then that dead items can be revived.
  func fateComplaints(_ queue: TestQueue) throws -> [String] {
    var found: [String] = []
    var came: [String: [Int]] = [:]
    try empty(queue, &came, &found)
    found += try queue.markComplaints()
    try queue.passTime()
    try empty(queue, &came, &found)
    let dead = try names(Command.pipe("dead", "-q", queue.path).run(), &found)
    let words = try statuses(queue)
    for item in items {
      let attempts = came[item.name] ?? []
      let isDead = dead[item.name] ?? 0
      guard let fate = fate(words[item.name], attempts.count, isDead) else {
        found.append(
          "\(item): came \(attempts.count) times, dead \(isDead), \(words[item.name] ?? "")")
        continue
      }
      if !item.allowed.contains(fate) { found.append("\(item): is \(fate)") }
      if let last = attempts.first, !item.attempts.contains(last - 1) {
        found.append("\(item): came as attempt \(last)")
      }
    }
    for name in came.keys where !items.contains(where: { $0.name == name }) {
      found.append("invented: \(name)")
    }
    if !dead.isEmpty { found += try revival(queue, dead) }
    return found + (try queue.leftAside().map { "still aside: \($0)" })
  }

  private func fate(_ word: String?, _ came: Int, _ dead: Int) -> Fate? {
    switch (word, came, dead) {
    case ("completed", 1, 0): .ready
    case ("completed", 0, 0): .done
    case ("failed", 0, 1): .dead
    case ("failed", 0, 0): .dropped
    default: nil
    }
  }

  /// Records the attempt of each item that comes out.
  private func empty(
    _ queue: TestQueue, _ came: inout [String: [Int]], _ found: inout [String]
  ) throws {
    let file = queue.scratch.path("emptied")
    unlink(file)
    let result = try queue.consuming("--envelope").writing(to: file).run()
    if result.ending != .exited(0) || !result.errors.isEmpty { found.append("\(result)") }
    for line in queue.lines(of: file) {
      let batch = try BatchLine(line)
      for item in batch.items {
        came[item.name, default: []].append(batch.attempt)
        let isWhole = items.contains {
          $0.name == item.name && line.contains(#""data":\#($0.data)}"#)
        }
        if !isWhole { found.append("torn: \(item.name) in \(line.prefix(300))") }
      }
    }
  }

  private func names(_ dead: Run, _ found: inout [String]) throws -> [String: Int] {
    if dead.ending != .exited(0) { found.append("\(dead)") }
    return try dead.lines.reduce(into: [:]) { $0[try BatchLine.Item($1).name, default: 0] += 1 }
  }

  /// By name, since each item is a slice.
  private func statuses(_ queue: TestQueue) throws -> [String: String] {
    let result = try Command([Binary.path, "status", "-q", queue.path] + ids()).run()
    var found: [String: String] = [:]
    for line in result.lines {
      let slices = try jsonObject(line)["batches"] as? [[String: Any]] ?? []
      for slice in slices {
        found[slice["batch_id"] as? String ?? ""] = slice["status"] as? String
      }
    }
    return found
  }

  private func revival(_ queue: TestQueue, _ dead: [String: Int]) throws -> [String] {
    var found: [String] = []
    var came: [String: [Int]] = [:]
    let retried = try Command.pipe("retry", "-q", queue.path, "--all").run()
    if retried.ending != .exited(0) { found.append("\(retried)") }
    try empty(queue, &came, &found)
    if came != dead.mapValues({ _ in [1] }) { found.append("revived: \(came)\n\(retried)") }
    let words = try statuses(queue)
    found += dead.keys.filter { words[$0] != "completed" }.map {
      "\($0): revived, \(words[$0] ?? "")"
    }
    return found
  }
}
