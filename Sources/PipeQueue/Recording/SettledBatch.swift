// What is noted of a claim, or of some of it, once it is settled.

extension Claimer {
  /// Of this process's claims; the statistics tell them apart by it. One word.
  func record(_ lines: [SettledLine]) {
    var noted = lines.filter { $0.items > 0 }
    for index in noted.indices { noted[index].tag = tag }
    recorder.note(noted, at: steady())
  }
}

extension Claim {
  /// `now`: microseconds since the epoch.
  func settled(
    _ outcome: SettledLine.Outcome, _ items: some Sequence<Item>, at now: Int64
  ) -> SettledLine {
    let claimed = batch.claimed
    var line = SettledLine(
      time: now, tag: nil, outcome: outcome, service: Int(max(0, now - claimed)), items: 0)
    var accepted = Int64.min
    for item in items {
      line.items += 1
      if outcome != .done { continue }
      if item.accepted != accepted {
        accepted = item.accepted
        line.note(wait: Int(max(0, claimed - accepted)))
      } else {
        line.waits[line.waits.count - 1].count += 1
      }
    }
    return line
  }

  func settled(_ plan: SettlingPlan, at now: Int64) -> [SettledLine] {
    SettledLine.Outcome.allCases.map { outcome in
      settled(outcome, plan.items(outcome).map { items[$0] }, at: now)
    }
  }
}

extension SettledLine {
  // Neighbours of one class are noted together.
  fileprivate mutating func note(wait: Int) {
    if let last = waits.last {
      let index = LatencyClass.index(of: wait)
      if index == LatencyClass.index(of: last.microseconds) {
        waits[waits.count - 1].count += 1
        return
      }
    }
    waits.append((wait, 1))
  }
}

extension SettlingPlan {
  /// Indices in the claim's items.
  fileprivate func items(_ outcome: SettledLine.Outcome) -> [Int] {
    switch outcome {
    case .done:
      let buried = Set(burials.map(\.item))
      return items(Fate.done).filter { !buried.contains($0) }
    case .retried: return items(Fate.again)
    case .buried: return burials.filter { fate($0) == .done }.map(\.item)
    }
  }
}
