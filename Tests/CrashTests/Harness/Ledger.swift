import Foundation
import Testing

/// The final state of an item.
enum Fate: String {
  /// It came out again, intact.
  case ready
  case done
  /// A dead letter.
  case dead
  case dropped
}

/// The items of a queue, recorded outside of it: the state in which a command found each, and the
/// state that it was to give it.
struct Ledger {
  struct Item {
    /// Its entry's id, a dot and its number.
    let name: String
    let data: String
    fileprivate(set) var before = Fate.ready
    fileprivate(set) var after = Fate.ready
    fileprivate(set) var allowed: Set<Fate> = []
    /// How many attempts may be counted once the command is over.
    var attempts = 0...0
  }

  private(set) var items: [Item] = []

  /// Stores entries; each of their items is a slice.
  mutating func store(_ entries: [Entry], in queue: TestQueue, lines: String? = nil) throws {
    let result = try queue.enqueueing(raw: lines == nil).given(lines ?? entries.text).run()
    guard result.receipts.count == entries.count else { throw Failure("\(result)") }
    for (id, entry) in zip(result.receipts, entries) {
      items += entry.items.enumerated().map { Item(name: "\(id).\($0 + 1)", data: $1) }
    }
  }

  /// The command is to give these items this state.
  mutating func plan(_ range: Range<Int>, _ fate: Fate, attempts: ClosedRange<Int> = 0...0) {
    for index in range { (items[index].after, items[index].attempts) = (fate, attempts) }
  }

  /// These items are not ready, and the command is to leave them so.
  mutating func found(_ range: Range<Int>, _ fate: Fate) {
    for index in range { (items[index].before, items[index].after) = (fate, fate) }
  }

  /// How the command ended: one that was cut short may have made some of its changes.
  mutating func conclude(isWhole: Bool) {
    for index in items.indices {
      items[index].allowed =
        isWhole ? [items[index].after] : [items[index].before, items[index].after]
    }
  }

  /// These lines came out: only their items may be done, and all are if the command ended well.
  mutating func deliver(_ lines: [String], isWhole: Bool) {
    for index in items.indices where items[index].before == .ready {
      let came = lines.contains(items[index].data)
      items[index].allowed = !came ? [.ready] : isWhole ? [.done] : [.ready, .done]
      items[index].attempts =
        items[index].attempts.lowerBound...(items[index].attempts.upperBound + 1)
    }
  }

  /// A command was given these lines: their attempts have begun.
  mutating func countAttempts(of lines: [String]) {
    for index in items.indices where lines.contains(items[index].data) {
      items[index].attempts = 1...1
    }
  }

  /// For lack of room, items to be buried were kept, and may have been tried again.
  mutating func forgiveBurials() {
    for index in items.indices where items[index].allowed == [.dead] {
      items[index].allowed.insert(.ready)
      if items[index].before == .dead { items[index].allowed.insert(.done) }
      items[index].attempts = 0...(items[index].attempts.upperBound + 2)
    }
  }

  /// A power cut may undo an attempt that began an instant before.
  mutating func forgiveAttempts() {
    for index in items.indices { items[index].attempts = 0...items[index].attempts.upperBound }
  }

  mutating func allow(_ fates: Set<Fate>, _ index: Int) { items[index].allowed = fates }

  /// The command has reported this state.
  mutating func confirm(_ fate: Fate, where isMeant: (Item) -> Bool) {
    for index in items.indices where isMeant(items[index]) { items[index].allowed = [fate] }
  }

  func ids(_ range: Range<Int>? = nil) -> [String] {
    var found: [String] = []
    for item in items[range ?? 0..<items.count] where found.last != String(item.name.prefix(26)) {
      found.append(String(item.name.prefix(26)))
    }
    return found
  }
}

extension Ledger {
  /// Empties the queue, lets all time pass, empties it again, and checks that each item is in
  /// exactly one state, which was allowed; then that dead items can be revived, and that the queue
  /// works.
  func settle(_ queue: TestQueue, after story: @autoclosure () -> String) throws {
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
    found += try queue.leftAside().map { "still aside: \($0)" }
    if !found.isEmpty {
      Issue.record("\(found.prefix(20).joined(separator: "\n"))\n\(story())")
    }
    var nothing = Oracle()
    try nothing.settle(queue, after: story())
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

  private func names(_ dead: Finished, _ found: inout [String]) throws -> [String: Int] {
    if dead.ending != .exited(0) { found.append("\(dead)") }
    return try dead.lines.reduce(into: [:]) { $0[try BatchLine.Item($1).name, default: 0] += 1 }
  }

  /// By name, since each item is a slice.
  private func statuses(_ queue: TestQueue) throws -> [String: String] {
    let result = try Command([Binary.path, "status", "-q", queue.path] + ids()).run()
    var found: [String: String] = [:]
    for line in result.lines {
      let slices = try json(line)["batches"] as? [[String: Any]] ?? []
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

/// A parsed line about items.
struct BatchLine {
  struct Item {
    let name: String

    init(_ line: String) throws { self.init(try json(line)) }

    fileprivate init(_ object: [String: Any]) {
      name = "\(object["id"] ?? "").\(object["item"] ?? "")"
    }
  }

  let claim: String
  let attempt: Int
  let items: [Item]

  init(_ line: String) throws {
    let object = try json(line)
    claim = object["claim"] as? String ?? ""
    attempt = object["attempt"] as? Int ?? 0
    items = (object["items"] as? [[String: Any]] ?? []).map { Item($0) }
  }
}

private func json(_ line: String) throws -> [String: Any] {
  let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
  guard let object = value as? [String: Any] else { throw Failure("no object: \(line)") }
  return object
}
