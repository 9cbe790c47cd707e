package import PipeIO

/// Why items of an entry are not done.
package struct Explanation {
  /// Items of the entry, from and to, counted from 1, that share a fate.
  package struct Run {
    package var items: ClosedRange<Int>
    package let fate: Fate
    /// Attempts at the first of them that did not end well.
    package let history: [Attempt]
  }

  package enum Fate {
    /// Ready; `ahead` items come before it.
    case ready(ahead: Int)
    /// Handed out. `holder` is nil where the clock holds it.
    case claimed(token: EntryID, attempt: Int, holder: String?, since: Int64?, until: Int64?)
    /// Waits for a time, after `attempts` attempts.
    case later(due: Int64, attempts: Int)
    case dead(isDropped: Bool)
    case done
  }

  package let id: EntryID
  package let priority: Priority
  package let created: Int64
  package let accepted: Int64
  package let items: Int
  package let runs: [Run]
  package let pace: PaceView?
}

/// How items leave the queue.
package struct PaceView {
  /// Microseconds between the starts of batches; 0 where the last one was started without a pace.
  package let every: Int64
  /// Microseconds until the next may start.
  package let wait: Int64
  /// Microseconds since the last was started.
  package let sinceLast: Int64
  package let size: Int
  /// Items a second of late; nil where too few have left to tell.
  package let rate: Double?

  /// Microseconds until an item with so many before it is handed out, if all goes on as of late; nil where
  /// nothing has been handed out for so long that nobody can tell.
  package func estimate(ahead: Int) -> Int64? {
    if every > 0, sinceLast < max(60_000_000, 10 * every) {
      return wait + Int64(ahead / max(1, size)) * every
    }
    guard let rate, sinceLast < 60_000_000 else { return nil }
    return Int64(min(1e15, Double(ahead) / rate * 1e6))
  }
}

extension Queue {
  /// nil for an id that no entry before the ends has.
  package func explain(
    _ id: EntryID, at now: Int64 = Clock.now()
  ) throws(Fault) -> Explanation? {
    guard let view = try look(at: id) else { return nil }
    var runs: [Explanation.Run] = []
    var start = view.numbers.lowerBound
    var key = view.state(of: start).key
    for number in view.numbers.dropFirst() + [view.numbers.upperBound] {
      let next = number < view.numbers.upperBound ? view.state(of: number).key : ""
      if next == key, number < view.numbers.upperBound { continue }
      runs.append(try run(view, start..<number, at: now))
      (start, key) = (number, next)
    }
    return Explanation(
      id: id, priority: view.lane, created: view.line.firstSeen, accepted: view.line.time,
      items: view.line.items, runs: runs, pace: paceView(at: now))
  }

  private func run(
    _ view: EntryView, _ numbers: Range<Int>, at now: Int64
  ) throws(Fault) -> Explanation.Run {
    let state = view.state(of: numbers.lowerBound)
    let first = view.line.number
    return Explanation.Run(
      items: (numbers.lowerBound - first + 1)...(numbers.upperBound - first),
      fate: try fate(state, view, numbers.lowerBound, at: now),
      history: History.attempts(
        try history(state, view, numbers.lowerBound), of: numbers.lowerBound, view.lane))
  }

  private func fate(
    _ state: ItemState, _ view: EntryView, _ number: Int, at now: Int64
  ) throws(Fault) -> Explanation.Fate {
    if !state.hasStarted, let due = view.line.due, !due.isOver(at: now) {
      return .later(due: due.at, attempts: 0)
    }
    switch state {
    case .ready: return .ready(ahead: ahead(of: number, view, at: now))
    case .now(.done): return .done
    case .dead(let name): return .dead(isDropped: name.isDropped)
    case .later(let name):
      guard case .again(_, let attempts, let due) = name.waiting else { return .done }
      return due.isOver(at: now)
        ? .ready(ahead: ahead(of: number, view, at: now)) : .later(due: due.at, attempts: attempts)
    case .now(.again(_, let attempts, let due)):
      return due.isOver(at: now)
        ? .ready(ahead: ahead(of: number, view, at: now)) : .later(due: due.at, attempts: attempts)
    case .now(.hold(let batch, let attempt, let until)):
      if until.isOver(at: now) { return .ready(ahead: ahead(of: number, view, at: now)) }
      return .claimed(
        token: batch, attempt: attempt, holder: nil, since: until.at - until.span, until: until.at)
    case .now(.claim(let batch, let attempt, let slot)):
      let name = view.name(of: number)
      let since = try name.flatMap { (name) throws(Fault) in try self.now().changed(name.text) }
      return .claimed(
        token: batch, attempt: attempt, holder: try slotHolder(slot), since: since, until: nil)
    }
  }

  private func slotHolder(_ slot: Int) throws(Fault) -> String? {
    lockHolder(try root.existing("owners"), Owner.name(slot))
  }

  private func history(
    _ state: ItemState, _ view: EntryView, _ number: Int
  ) throws(Fault) -> [UInt8] {
    switch state {
    case .later(let name), .dead(let name):
      return try Directory.open(name.kind.path(name.range.lane, name.shard), in: root)?
        .history(name.text) ?? []
    case .now(.done), .ready: return []
    case .now:
      return try view.name(of: number).map { (name) throws(Fault) in try now().history(name.text) }
        ?? []
    }
  }

  // Arithmetic on names alone: what waits in the line is never looked at.
  private func ahead(of number: Int, _ view: EntryView, at now: Int64) -> Int {
    var count = 0
    for lane in Priority.allCases where lane <= view.lane {
      let line = LaneLine(lane, end: view.ends[lane].place, names: view.names)
      let due = line.waiting.filter { $0.due!.isOver(at: now) }.map(\.range)
      for range in line.untouched + due {
        let end = lane == view.lane ? min(range.to.number, number) : range.to.number
        count += max(0, end - range.from.number)
      }
    }
    return count
  }

  private func paceView(at now: Int64) -> PaceView? {
    let time = Clock.steady()
    guard let pace = PaceFile(self, readOnly: true).read(at: time, wall: now) else { return nil }
    return PaceView(
      every: pace.every, wait: pace.every > 0 ? pace.wait(pace.every, at: time) : 0,
      sinceLast: max(0, time - pace.started), size: pace.size, rate: pace.rate(at: time))
  }
}

extension EntryView {
  /// The name in now/ that says what an item is.
  func name(of number: Int) -> NowName? {
    guard case .now(let state) = self.state(of: number) else { return nil }
    return names.first {
      $0.range.lane == lane && $0.state == state && $0.range.touches(number..<(number + 1))
    }
  }
}

extension ItemState {
  /// The same for items that share a fate.
  fileprivate var key: String {
    switch self {
    case .ready: "ready"
    case .now(let state): "\(state)"
    case .later(let name): name.text
    case .dead(let name): name.text
    }
  }
}
