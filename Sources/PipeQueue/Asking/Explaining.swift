package import PipeIO

extension Queue {
  /// nil for an id that no entry before the ends has.
  package func explain(
    _ id: EntryID, at now: Int64 = Clock.now()
  ) throws(Fault) -> Explanation? {
    guard let view = try look(at: id) else { return nil }
    let explainer = Explainer(self, view, at: now)
    return Explanation(
      id: id, priority: view.lane, created: view.line.firstSeen, accepted: view.line.time,
      items: view.line.items, runs: try explainer.runs(), pace: paceView(at: now))
  }

  private func paceView(at now: Int64) -> PaceView? {
    let file = PaceFile(self, readOnly: true)
    guard let pace = file.read(at: Clock.steady(), wall: now) else { return nil }
    let time = Clock.steady()
    return PaceView(
      every: pace.every, wait: pace.every > 0 ? pace.wait(pace.every, at: time) : 0,
      sinceLast: max(0, time - pace.started), size: pace.size, rate: pace.rate(at: time))
  }
}

/// One entry at one instant.
private struct Explainer {
  private let queue: Queue
  private let view: EntryView
  private let now: Int64
  /// In the lanes that come no later than the entry's.
  private let ready: [ItemRange]

  init(_ queue: Queue, _ view: EntryView, at now: Int64) {
    self.queue = queue
    self.view = view
    self.now = now
    // From names alone: what waits in the line is never looked at.
    ready = Priority.allCases.filter { $0 <= view.lane }.flatMap { lane in
      let line = LaneLine(lane, end: view.ends[lane].place, names: view.names)
      return line.untouched + line.waiting.filter { $0.due!.isOver(at: now) }.map(\.range)
    }
  }

  func runs() throws(Fault) -> [Explanation.Run] {
    var runs: [Explanation.Run] = []
    var start = view.numbers.lowerBound
    var state = view.state(of: start)
    for number in view.numbers.dropFirst() {
      let next = view.state(of: number)
      if next == state { continue }
      runs.append(try run(start..<number, state))
      (start, state) = (number, next)
    }
    return runs + [try run(start..<view.numbers.upperBound, state)]
  }

  private func run(_ numbers: Range<Int>, _ state: ItemState) throws(Fault) -> Explanation.Run {
    let first = view.line.number
    let number = numbers.lowerBound
    return Explanation.Run(
      items: (number - first + 1)...(numbers.upperBound - first), fate: try fate(state, number),
      history: History.attempts(try history(state, number), of: number, view.lane))
  }

  private func fate(_ state: ItemState, _ number: Int) throws(Fault) -> Explanation.Fate {
    if !state.hasStarted, let due = view.line.due, !due.isOver(at: now) {
      return .later(due: due.at, attempts: 0)
    }
    switch state {
    case .ready: return .ready(ahead: ahead(of: number))
    case .now(.done): return .done
    case .now(.lost): return .lost(isDropped: false)
    case .now(.dropped): return .lost(isDropped: true)
    case .dead(let name): return .dead(isDropped: name.isDropped)
    case .later(let name):
      guard case .again(_, let attempts, let due) = name.waiting else { return .done }
      return waiting(number, until: due, attempts)
    case .now(.again(_, let attempts, let due)): return waiting(number, until: due, attempts)
    case .now(.hold(let batch, let attempt, let until)):
      if until.isOver(at: now) { return .ready(ahead: ahead(of: number)) }
      return .claimed(
        token: batch, attempt: attempt, holder: nil, since: until.at - until.span, until: until.at)
    case .now(.claim(let batch, let attempt, let slot)):
      return .claimed(
        token: batch, attempt: attempt, holder: try holder(slot), since: batch.claimed, until: nil)
    }
  }

  private func waiting(_ number: Int, until due: Due, _ attempts: Int) -> Explanation.Fate {
    due.isOver(at: now)
      ? .ready(ahead: ahead(of: number)) : .later(due: due.at, attempts: attempts)
  }

  private func holder(_ slot: Int) throws(Fault) -> String? {
    lockHolder(try queue.part("owners"), Owner.name(slot))
  }

  private func history(_ state: ItemState, _ number: Int) throws(Fault) -> [UInt8] {
    switch state {
    case .later(let name), .dead(let name):
      let path = name.kind.path(name.range.lane, name.shard)
      return try Directory.open(path, in: queue.root)?.history(name.text) ?? []
    case .now(.done), .now(.lost), .now(.dropped), .ready: return []
    case .now:
      guard let name = view.name(of: number) else { return [] }
      // The file of a dead holder's claim still has the claim's name.
      let claim = try queue.namesNow().first { $0.isClaim && $0.reaped == name }
      return try queue.now().history((claim ?? name).text)
    }
  }

  private func ahead(of number: Int) -> Int {
    ready.reduce(0) { count, range in
      let end = range.lane == view.lane ? min(range.to.number, number) : range.to.number
      return count + max(0, end - range.from.number)
    }
  }
}

extension EntryView {
  /// The name in now/ that says what an item is.
  fileprivate func name(of number: Int) -> NowName? {
    guard case .now(let state) = self.state(of: number) else { return nil }
    return names.first {
      $0.range.lane == lane && $0.state == state && $0.range.touches(number..<(number + 1))
    }
  }
}
