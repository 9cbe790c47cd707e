internal import Glibc
internal import PipeIntake
package import PipeIO
internal import PipeEngine
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
