internal import PipeIO
internal import PipeTime

// The statistics of a settled claim, or of its settled part.

extension Claimer {
  /// Appends the lines to stats/log.
  func record(_ lines: some Sequence<SettledLine>) { recorder.note(lines, at: steady()) }
}

extension [AcceptedItems] {
  /// The next `more` items were accepted at `time`.
  @inline(__always)
  mutating func note(_ time: Instant, items more: Int = 1) {
    let end = last?.items.upperBound ?? 0
    if !isEmpty, self[count - 1].time == time {
      self[count - 1].items = self[count - 1].items.lowerBound..<(end + more)
    } else {
      append(AcceptedItems(time: time, items: end..<(end + more)))
    }
  }
}

extension Claim {
  /// Calls `body` with each instant at which some of these items were accepted, and those items.
  func forEachAcceptance(of items: Range<Int>, _ body: (AcceptedItems) -> Void) {
    let first = acceptances.partitionPoint { $0.items.upperBound <= items.lowerBound }
    for accepted in acceptances[first...] {
      let common = accepted.items.clamped(to: items)
      if common.isEmpty { return }
      body(AcceptedItems(time: accepted.time, items: common))
    }
  }

  func settled(
    _ outcome: SettledLine.Outcome, _ items: some Sequence<Range<Int>>, at now: Instant,
    _ tag: String?
  ) -> SettledLine {
    let claimed = batch.claimed
    var line = SettledLine(
      time: now, tag: tag, outcome: outcome, service: Int(max(.zero, now - claimed).microseconds),
      items: 0)
    for range in items {
      line.items += range.count
      guard outcome == .done else { continue }
      forEachAcceptance(of: range) { accepted in
        line.note(
          wait: Int(max(.zero, claimed - accepted.time).microseconds), items: accepted.items.count)
      }
    }
    return line
  }

  func settled(_ plan: SettlingPlan, at now: Instant, _ tag: String?) -> [SettledLine] {
    SettledLine.Outcome.allCases.map { settled($0, plan.items($0), at: now, tag) }
  }
}

extension SettledLine {
  // Consecutive waits of one histogram bucket share one count.
  fileprivate mutating func note(wait: Int, items: Int) {
    if let last = waits.last,
      HistogramBuckets.index(of: wait) == HistogramBuckets.index(of: last.microseconds)
    {
      waits[waits.count - 1].count += items
    } else {
      waits.append((wait, items))
    }
  }
}

extension SettlingPlan {
  /// Ranges of the claim's items that had this outcome.
  fileprivate func items(_ outcome: SettledLine.Outcome) -> [Range<Int>] {
    let letters = burials.filter { fate($0) == .done }.map(\.item)
    switch outcome {
    case .buried: return letters.map { $0..<($0 + 1) }
    case .retried: return items(Fate.again)
    case .done:
      // Dead letters have the fate done too: their names in now/ say so.
      let others = Set(letters)
      if others.isEmpty { return items(Fate.done) }
      return items(Fate.done).flatMap { $0.filter { !others.contains($0) } }.map { $0..<($0 + 1) }
    }
  }
}

extension Claimer {
  /// Keeps the value that an answer gave for these items.
  package func keep(_ value: [UInt8], of claim: borrowing Claim, items: Set<Int>? = nil) {
    keep(
      AttemptOutput(attempt: claim.attempt, started: nil, ended: wall(), value: value), of: claim,
      items: items)
  }

  /// Keeps `output` for the items of a claim at these indices; nil: all. Call it before they are
  /// settled: it is on disk before they are.
  package func keep(_ output: AttemptOutput, of claim: borrowing Claim, items: Set<Int>? = nil) {
    // A full disk must not keep claims from being settled.
    try? begin()
    guard let slot = owner?.slot else { return }
    for part in claim.parts {
      var runs: [Int: [Range<Int>]] = [:]
      for (index, position) in part.places.enumerated()
      where items?.contains(part.items.lowerBound + index) ?? true {
        let number = position.number
        if let last = runs[position.segment]?.last, last.upperBound == number {
          runs[position.segment]![runs[position.segment]!.count - 1] =
            last.lowerBound..<(number + 1)
        } else {
          runs[position.segment, default: []].append(number..<(number + 1))
        }
      }
      for (segment, numbers) in runs {
        if let file = outputs.append(output, part.name.range.lane, segment, numbers, slot: slot) {
          sync.note(file)
        }
      }
    }
  }
}
