internal import PipeIntake
internal import PipeIO
internal import PipeEngine

/// Settles claims that other processes hold, several at a time.
final class Settler {
  private let claimer: Claimer
  private let diagnostics: Diagnostics
  private let fallback: Settlement.Result
  private let reason: String?
  private let output: Output?
  /// Settlements to apply, each with its line if that is written to stdout.
  private var waiting: [(settlement: Settlement, line: [UInt8])] = []
  /// Claims of invalid lines: given back at the end unless another line settles them.
  private var unread: Set<BatchID> = []
  private var bytes = 0
  /// By token: the items of a claim that no line has settled yet.
  private var rests: [BatchID: HeldClaim] = [:]
  private(set) var hasLost = false
  private(set) var hasRefused = false
  private var complaints = 0
  var hasNoRoom: Bool { claimer.unburied > 0 }

  /// Settlements applied at once; more would delay the lines behind them.
  private static let most = 256

  init(
    _ queue: Queue, _ diagnostics: Diagnostics, fallback: Settlement.Result, reason: String?,
    tee: Bool
  ) {
    claimer = Claimer(queue)
    self.diagnostics = diagnostics
    self.fallback = fallback
    self.reason = reason
    output = tee ? Output() : nil
  }

  var isFull: Bool { waiting.count >= Settler.most || bytes > 1 << 20 }

  func add(_ settlement: Settlement, _ line: UnsafeRawBufferPointer?) {
    var kept: [UInt8] = []
    if output != nil, let line { kept = Array(line) + [0x0a] }
    waiting.append((settlement, kept))
    bytes += kept.count
  }

  /// Notes the claim of an invalid line.
  func addUnread(_ claim: BatchID) { unread.insert(claim) }

  /// Applies the added settlements.
  func settle() throws(Fault) {
    try takeUnread()
    guard !waiting.isEmpty else { return }
    let holdings = try claimer.holdings(Set(waiting.map(\.settlement.claim)))
    for (settlement, line) in waiting {
      if try settle(settlement, holdings) { output?.bytes += line }
    }
    waiting.removeAll(keepingCapacity: true)
    bytes = 0
    try claimer.sync.flushIfDue()
    try pass()
  }

  func flush() throws(Fault) { try claimer.sync.flush() }

  /// Gives back the items that no line has settled, no attempt counted.
  func finish() throws(Fault) {
    for rest in rests.values {
      _ = try tolerant { () throws(Fault) in try claimer.giveBack(rest.take()) }
    }
    rests.removeAll()
    try flush()
    if complaints > LineLoop.shown {
      diagnostics.say("\(complaints - LineLoop.shown) more errors like these")
    }
  }

  // Holds the claims of invalid lines until the end, so that the process that handed them out does
  // not wait for them. Claims that are already settled, or never existed, are ignored.
  private func takeUnread() throws(Fault) {
    let tokens = unread.filter { rests[$0] == nil }
    unread.removeAll()
    guard !tokens.isEmpty else { return }
    let holdings = try claimer.holdings(tokens)
    for token in tokens {
      _ = try tolerant { () throws(Fault) in
        guard let claim = try claimer.adopt(token, holdings) else { return }
        guard let rest = try claimer.settle(claim, takingOver: true, { _ in nil }) else { return }
        rests[token] = HeldClaim(rest)
      }
    }
  }

  private func complain(_ text: String) {
    complaints += 1
    if complaints <= LineLoop.shown { diagnostics.say(text) }
  }

  private func pass() throws(Fault) {
    guard let output else { return }
    // A line on stdout means that its settlement is on disk.
    try flush()
    try output.flush()
  }

  /// Returns false if the claim was lost.
  private func settle(
    _ settlement: Settlement, _ holdings: Claimer.Holdings
  ) throws(Fault) -> Bool {
    try tolerant { () throws(Fault) in
      let claim: Claim
      if let rest = rests.removeValue(forKey: settlement.claim) {
        claim = rest.take()
      } else if let found = try claimer.adopt(settlement.claim, holdings) {
        claim = found
      } else {
        throw claimer.lost(settlement.claim)
      }
      let outcomes = outcomes(settlement, claim)
      keepOutputs(settlement, claim)
      let isPartial = outcomes.contains { if case nil = $0 { true } else { false } }
      if let rest = try claimer.settle(claim, takingOver: isPartial, { outcomes[$0] }) {
        rests[settlement.claim] = HeldClaim(rest)
      }
    }
  }

  // On disk before the items are settled.
  private func keepOutputs(_ settlement: Settlement, _ claim: borrowing Claim) {
    guard let items = settlement.items else {
      if let value = settlement.output { claimer.keep(value, of: claim) }
      return
    }
    var places = ItemPositions(claim.items)
    for (position, item) in items.enumerated() {
      guard let value = item.output ?? settlement.output,
        let index = places.index(of: item, near: position)
      else { continue }
      claimer.keep(value, of: claim, items: [index])
    }
  }

  // A lost claim does not keep the others from being settled.
  private func tolerant(_ body: () throws(Fault) -> Void) throws(Fault) -> Bool {
    do throws(Fault) { try body() } catch {
      guard error.kind == .claimLost else { throw error }
      complain(error.text)
      hasLost = true
      return false
    }
    return true
  }

  private func outcomes(_ settlement: Settlement, _ claim: borrowing Claim) -> [Outcome?] {
    guard let items = settlement.items else {
      let all = outcome(settlement.result, settlement.reason)
      return claim.items.map { _ in all }
    }
    var outcomes = [Outcome?](repeating: nil, count: claim.items.count)
    var places = ItemPositions(claim.items)
    for (position, item) in items.enumerated() {
      guard let index = places.index(of: item, near: position) else {
        hasRefused = true
        complain(
          "claim \(settlement.claim.text) has no item \(item.item) of \(item.id.text) to settle")
        continue
      }
      outcomes[index] = outcome(
        item.result ?? settlement.result, item.reason ?? settlement.reason)
    }
    return outcomes
  }

  private func outcome(_ word: Settlement.Result?, _ said: String?) -> Outcome {
    switch word ?? fallback {
    case .ok: .done
    case .retry: .retry(Failure(said ?? reason ?? "sent back by pipe ack"))
    case .bury: .bury(Failure(said ?? reason ?? "buried by pipe ack"))
    }
  }
}

/// Indices of items in a claim. Lines mostly keep the order of the batch, so the table is built
/// only when one does not.
private struct ItemPositions {
  private struct Key: Hashable {
    let id: EntryID
    let item: Int
  }

  private let items: [Item]
  private var table: [Key: Int]?

  init(_ items: [Item]) { self.items = items }

  mutating func index(of item: ItemSettlement, near: Int) -> Int? {
    if near < items.count, items[near].entry == item.id, items[near].index == item.item {
      return near
    }
    if table == nil {
      table = [:]
      for (index, item) in items.enumerated() {
        table![Key(id: item.entry, item: item.index)] = index
      }
    }
    return table![Key(id: item.id, item: item.item)]
  }
}
