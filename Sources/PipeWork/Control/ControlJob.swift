internal import Glibc
package import PipeIO
internal import PipeJSON
package import PipeEngine
internal import PipeRender
internal import PipeTime

/// `cancel`, `purge` and `change`: what happens to waiting items that a person names.
package struct ControlJob {
  package enum Action {
    /// They become dead letters.
    case cancel
    /// The same without the letters.
    case purge
    case reschedule(Claimer.Due)
    case move(to: Lane)
  }

  package struct Result {
    package var entries = 0
    package var items = 0
    /// Ids of which nothing was waiting.
    package var missed = 0

    package init() {}
  }

  private let queue: Queue
  private let claimer: Claimer
  private let action: Action
  private let diagnostics: Diagnostics

  /// Items that are changed at once: consumers wait for the lock of now/ meanwhile.
  fileprivate static let portion = 1024

  package init(_ queue: Queue, _ action: Action, _ diagnostics: Diagnostics) {
    self.queue = queue
    self.action = action
    self.diagnostics = diagnostics
    claimer = Claimer(queue)
  }

  /// The number of entries and items that a selection has now.
  package func count(_ selection: WaitingSelection) throws(Fault) -> Result {
    var result = Result()
    try selection.forEach(in: queue) { waiting in
      result.entries += 1
      result.items += waiting.total
    }
    return result
  }

  package func run(_ selection: WaitingSelection) throws(Fault) -> Result {
    var result = Result()
    var gathered = Portion()
    try selection.forEach(in: queue) { (waiting) throws(Fault) in
      gathered.append(waiting)
      if gathered.isFull { try apply(gathered.take(), &result) }
    }
    try apply(gathered.take(), &result)
    try claimer.sync.flush()
    return result
  }

  /// `ends`: claimed items get their command ended first.
  package func run(_ ids: [String], endsCommands ends: Bool) throws(Fault) -> Result {
    var result = Result()
    var others: [String] = []
    // Entries that only wait are changed together.
    var gathered = Portion()
    var known: Set<EntryID> = []
    for text in ids {
      guard let id = EntryID(text), let found = try waiting(of: id), !found.waiting.isEmpty,
        found.claims.isEmpty
      else {
        others.append(text)
        continue
      }
      guard known.insert(id).inserted else { continue }
      gathered.append(found.waiting)
      if gathered.isFull { try apply(gathered.take(), &result) }
    }
    try apply(gathered.take(), &result)
    for text in others { try run(text, ends, &result) }
    try claimer.sync.flush()
    return result
  }

  private func waiting(
    of id: EntryID
  ) throws(Fault) -> (waiting: [WaitingItems], claims: Set<BatchID>, others: Int)? {
    if case .move = action { try queue.finishMove(id) }
    return try queue.waiting(of: id)
  }

  private func run(_ text: String, _ ends: Bool, _ result: inout Result) throws(Fault) {
    var one = Result()
    try run(text, ends, changed: &one)
    result.items += one.items
    if one.items > 0 { result.entries += 1 } else { result.missed += 1 }
  }

  private func run(_ text: String, _ ends: Bool, changed: inout Result) throws(Fault) {
    guard let id = EntryID(text) else { return diagnostics.unknown(text, nil, in: queue.path) }
    for _ in 0..<ControlJob.mostRounds {
      guard let found = try waiting(of: id) else {
        return diagnostics.unknown(text, nil, in: queue.path)
      }
      try apply([found.waiting], &changed)
      // Why it was missed was said.
      if changed.missed > 0 { return }
      if found.claims.isEmpty || !ends {
        if changed.items == 0 {
          diagnostics.say("\(text): \(reason(found.claims, found.others))", id: text)
        }
        return
      }
      guard try end(found.claims, of: id) else { return }
    }
    diagnostics.say(
      "\(text): is claimed again each time its command is ended; pipe pause helps", id: text)
  }

  private static let mostRounds = 20

  private func reason(_ claims: Set<BatchID>, _ others: Int) -> String {
    claims.isEmpty
      ? "has no waiting items: they are done, dead or lost (see pipe status)"
      : "is claimed: a consumer has it (cancel --running ends its command)"
  }

  /// `entries`: the waiting items of each.
  private func apply(_ entries: [[WaitingItems]], _ result: inout Result) throws(Fault) {
    let items = entries.flatMap(\.self)
    guard !items.isEmpty else { return }
    switch action {
    case .move(let lane): return try move(entries, to: lane, &result)
    case .cancel:
      result.items += try bury(items, reason: "cancelled", isDropped: false).count
    case .purge:
      let (count, touched) = try bury(items, reason: "purged", isDropped: true)
      if !touched.isEmpty { _ = try queue.dropLetters(of: touched) }
      result.items += count
    case .reschedule(let due):
      result.items += try claimer.reschedule(items, to: due)
    }
    result.entries += entries.count
  }

  /// Makes dead letters of the items. `touched`: those whose letters are listed even if `isDropped`.
  private func bury(
    _ items: [WaitingItems], reason: String, isDropped: Bool
  ) throws(Fault) -> (count: Int, touched: [WaitingItems]) {
    let (early, touched) = try claimer.cancelUntouched(
      items, reason: reason, isDropped: isDropped)
    guard !touched.isEmpty, let claim = try claimer.take(touched) else { return (early, []) }
    let count = early + claim.items.count
    try claimer.cancel(claim, reason: reason)
    return (count, touched)
  }

  private func move(
    _ entries: [[WaitingItems]], to lane: Lane, _ result: inout Result
  ) throws(Fault) {
    if let moved = try claimer.moveAtOnce(entries, to: lane) {
      for items in entries {
        if moved.contains(items[0].id) {
          result.entries += 1
          result.items += items.total
        } else {
          refuse(items[0].id, &result)
        }
      }
      return
    }
    var moving: [Moving] = []
    var bytes = 0
    for items in entries {
      let id = items[0].id
      guard let copy = try queue.wholeEntry(id, items),
        !items.contains(where: { $0.attempts > 0 })
      else {
        refuse(id, &result)
        continue
      }
      result.entries += 1
      result.items += items.total
      if copy.priority == lane { continue }
      moving.append((items, copy))
      bytes += copy.bytes
      // The copies are in memory.
      if bytes > Limits.mostBytes {
        try move(moving, to: lane, &result)
        moving.removeAll()
        bytes = 0
      }
    }
    try move(moving, to: lane, &result)
  }

  private func refuse(_ id: EntryID, _ result: inout Result) {
    diagnostics.say(
      "\(id.text): it was handed out before, at least in part, and keeps its priority",
      id: id.text)
    result.missed += 1
  }

  private typealias Moving = (items: [WaitingItems], copy: EntryCopy)

  /// Stores the entries again under their ids in another lane. Their items are dead letters meanwhile, so
  /// that a crash neither loses nor doubles them; the letters are dropped at the end.
  private func move(_ moving: [Moving], to lane: Lane, _ result: inout Result) throws(Fault) {
    if moving.isEmpty { return }
    let reason = DeadLetter.moved + lane.name
    _ = try bury(moving.flatMap(\.items), reason: reason, isDropped: false)
    try claimer.sync.flush()
    var dead: [Moving] = []
    var others: [Moving] = []
    do throws(Fault) {
      // Between the check and the commit, no other process may bring an item back.
      try queue.keepingLetters { () throws(Fault) in
        for one in moving {
          if try queue.isMoving(one.items, reason: reason) {
            dead.append(one)
          } else {
            others.append(one)
          }
        }
        try claimer.store(dead, in: lane)
      }
    } catch {
      // Nothing is stored, unless the outcome is unknown: then the command, given again, completes it.
      if error.kind != .outcomeUnknown {
        for one in moving { try? queue.finishMove(one.items[0].id) }
      }
      throw error
    }
    for one in others {
      let id = one.items[0].id
      try queue.finishMove(id)
      diagnostics.say(
        "\(id.text): another process changed some of it meanwhile; it keeps its priority",
        id: id.text)
      result.entries -= 1
      result.items -= one.items.total
      result.missed += 1
    }
    _ = try queue.dropLetters(of: dead.flatMap(\.items))
  }

  /// Sends SIGTERM to the commands of these claims and waits until the claims are settled. Returns false
  /// if there is no command to end.
  private func end(_ claims: Set<BatchID>, of id: EntryID) throws(Fault) -> Bool {
    let watch = try queue.watchSettling()
    var found = false
    for claim in claims where signalProcesses(with: "PIPE_CLAIM=" + claim.text, SIGTERM) {
      found = true
    }
    guard found else {
      diagnostics.say(
        "\(id.text): is claimed by a process without a command that this user can end", id: id.text)
      return false
    }
    while let now = try queue.waiting(of: id), !now.claims.isDisjoint(with: claims) {
      var poller = Poller()
      _ = poller.watch(watch.fd)
      try poller.wait(until: nil)
      _ = watch.drain { _ in true }
    }
    return true
  }
}

extension [WaitingItems] {
  /// Items in all of these ranges.
  fileprivate var total: Int { reduce(0) { $0 + $1.count } }
}

/// Entries that are changed together.
private struct Portion {
  private var entries: [[WaitingItems]] = []
  private var items = 0

  var isFull: Bool { items >= ControlJob.portion }

  mutating func append(_ waiting: [WaitingItems]) {
    entries.append(waiting)
    items += waiting.total
  }

  mutating func take() -> [[WaitingItems]] {
    defer { self = Portion() }
    return entries
  }
}

/// Which waiting items `cancel` and `purge` are about.
package struct WaitingSelection {
  /// A member and the text of its value.
  package struct Match {
    let path: FieldPath
    let value: [UInt8]

    /// `FIELD=VALUE`; the last equals sign separates the two.
    package init?(_ text: String) {
      // By bytes: a combining character after the sign would hide it.
      let bytes = text.utf8
      guard let equals = bytes.lastIndex(of: 0x3d),
        let path = FieldPath(String(Substring(bytes[..<equals])))
      else { return nil }
      self.path = path
      value = String(Substring(bytes[bytes.index(after: equals)...])).systemBytes
    }

    func holds(_ data: [UInt8]) -> Bool {
      data.withUnsafeBytes { data in
        guard let found = (try? find(path, in: data)) ?? nil else { return false }
        var text: [UInt8] = []
        TextItem.appendPlain(UnsafeRawBufferPointer(rebasing: data[found.range]), to: &text)
        return text == value
      }
    }
  }

  let lanes: [Lane]
  let states: [ListedEntry.State]
  let match: Match?

  /// `states`: ready, later or both.
  package init(lanes: [Lane], states: [ListedEntry.State], match: Match?) {
    (self.lanes, self.states, self.match) = (lanes, states, match)
  }

  /// Calls `body` with the waiting items of each entry in the selection.
  func forEach(
    in queue: Queue, _ body: ([WaitingItems]) throws(Fault) -> Void
  ) throws(Fault) {
    try queue.list(states, at: Clock.now()) { (entry) throws(Fault) in
      guard lanes.contains(entry.priority), match.map({ $0.holds(entry.data) }) ?? true else {
        return true
      }
      try body(entry.waiting)
      return true
    }
  }
}
