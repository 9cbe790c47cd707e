import TestSupport

/// The final state of an item.
enum Fate: String {
  /// It came out again, intact.
  case ready
  case done
  /// A dead letter.
  case dead
  case dropped
}

/// What went into a queue and what came out, recorded outside of it. Items of entries that were fed
/// must come out, and no more of them again than consumers held. Items of entries that were stored
/// must each end in the state that a command was to give them.
struct Ledger {
  private var fed: [Entry] = []
  /// Receipts: their ids, and the items that each promises.
  private(set) var promised: [(id: String, items: [String])] = []
  private(set) var deliveries: [String: Int] = [:]
  private(set) var delivered = 0
  /// Items that were claimed and not settled when a consumer died: these may come again.
  var held = 0

  /// An item of a stored entry: the state in which a command found it, and the state that it was to
  /// give it.
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
}

// Fed entries.
extension Ledger {
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

// Stored entries.
extension Ledger {
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

  /// A command that was cut short may have left this fate in the middle of its changes.
  mutating func tolerate(_ fate: Fate) {
    for index in items.indices { items[index].allowed.insert(fate) }
  }

  /// These lines came out: only their items may be done, and all are if the command ended well.
  mutating func conclude(delivered lines: [String], isWhole: Bool) {
    for index in items.indices where items[index].before == .ready {
      let came = lines.contains(items[index].data)
      items[index].allowed = !came ? [.ready] : isWhole ? [.done] : [.ready, .done]
      items[index].attempts =
        items[index].attempts.lowerBound...(items[index].attempts.upperBound + 1)
    }
  }

  /// A consumer that ended well took these lines after the command was cut short.
  mutating func conclude(drained lines: [String]) {
    for index in items.indices where lines.contains(items[index].data) {
      items[index].allowed = [.done]
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
