internal import PipeIO
internal import PipeQueue

/// `pipe route`: an entry is acknowledged here once it is on disk there, under its own id; so whatever ends
/// it half-way, the next run finds what was stored already and stores it no second time.
final class RouteJob {
  private let source: BatchSource
  private let claimer: Claimer
  private let table: RouteTable
  private let destinations: [Destination]
  private var unrouted = 0

  private static let batchItems = 8192
  private static let batchBytes = 4 << 20

  init(_ source: BatchSource, _ table: RouteTable, _ destinations: [Destination]) {
    self.source = source
    self.table = table
    self.destinations = destinations
    claimer = source.claimer
  }

  func run() throws(Fault) -> Int32 {
    do throws(Fault) {
      try moveAll()
    } catch {
      try? claimer.sync.flush()
      throw error
    }
    try claimer.sync.flush()
    if let signal = source.mustDie { die(of: signal) }
    try tell()
    return unrouted > 0 ? Exit.someFailed : Exit.fine
  }

  private func moveAll() throws(Fault) {
    while source.mustDie == nil {
      if let claim = try source.next(size: RouteJob.batchItems, bytes: RouteJob.batchBytes) {
        try move(claim)
        try claimer.sync.flushIfDue()
        source.takeSignals()
      } else if source.mayGoOn {
        _ = try source.wait(forReady: true)
      } else {
        return
      }
    }
  }

  private func move(_ claim: consuming Claim) throws(Fault) {
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
      for destination in destinations { try store(destination) }
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

  // Who follows waits for room, as long as it takes.
  private func store(_ destination: Destination) throws(Fault) {
    while true {
      do throws(Fault) { return try destination.commit() } catch {
        guard error.kind == .tryLater, source.limits.follow, source.stops.isEmpty else {
          throw error
        }
      }
      try destination.queue.waitForRoom(or: source.signals)
      source.takeSignals()
    }
  }

  /// `{"queue":"errors","entries":12}` for each.
  private func tell() throws(Fault) {
    let output = Output()
    for destination in destinations {
      output.append(#"{"queue":"#)
      output.appendString(destination.name)
      output.append(",\"entries\":\(destination.stored)}\n")
    }
    try output.flush()
  }
}
