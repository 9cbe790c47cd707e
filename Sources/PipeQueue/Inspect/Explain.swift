package import PipeIO
package import PipeTime

extension Queue {
  /// nil if no entry before the lane ends has this id.
  package func explain(
    _ id: EntryID, at now: Instant = Clock.now()
  ) throws(Fault) -> Explanation? {
    guard let view = try look(at: id) else { return nil }
    let explainer = try Explainer(self, view, at: now)
    return Explanation(
      id: id, priority: view.lane, created: view.line.firstSeen, accepted: view.line.time,
      items: view.line.items, runs: try explainer.runs(), pace: paceView(at: now),
      pause: try pauseNow())
  }

  private func paceView(at now: Instant) -> PaceView? {
    let file = PaceFile(self, readOnly: true)
    guard let pace = file.read(at: Clock.steady(), wall: now) else { return nil }
    let time = Clock.steady()
    return PaceView(
      every: pace.every, wait: pace.every > .zero ? pace.wait(pace.every, at: time) : .zero,
      sinceLast: max(.zero, time - pace.started), size: pace.size, rate: pace.rate(at: time))
  }
}

/// One entry at one instant.
private struct Explainer {
  private let queue: Queue
  private let view: EntryView
  private let now: Instant
  /// The ready items in the entry's lane and in the lanes before it.
  private let ready: [ItemRange]

  init(_ queue: Queue, _ view: EntryView, at now: Instant) throws(Fault) {
    self.queue = queue
    self.view = view
    self.now = now
    var ready: [ItemRange] = []
    // From names alone: the waiting lines are never read.
    for lane in Lane.allCases where lane <= view.lane {
      let line = LaneMap(lane, end: view.ends[lane].position, names: view.names)
      let open = try queue.withoutPassedOver(line.untouched, view.early)
      ready += open + line.waiting.filter { $0.due!.isOver(at: now) }.map(\.range)
    }
    self.ready = ready
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
    switch state {
    case .ready, .later, .now(.again):
      guard case (let due?, let attempts)? = state.wait(view.line), !due.isOver(at: now) else {
        return .ready(ahead: ahead(of: number))
      }
      return .later(due: due.at, attempts: attempts)
    case .now(.done): return .done
    case .now(.lost): return .lost(isDropped: false)
    case .now(.dropped): return .lost(isDropped: true)
    case .dead(let name): return .dead(isDropped: name.isDropped)
    case .now(.hold(let batch, let attempt, let until)):
      if until.isOver(at: now) { return .ready(ahead: ahead(of: number)) }
      return .claimed(
        token: batch, attempt: attempt, holder: nil, since: until.at - until.span, until: until.at)
    case .now(.claim(let batch, let attempt, let slot)):
      return .claimed(
        token: batch.handedOut, attempt: attempt, holder: try holder(slot), since: batch.claimed,
        until: nil)
    }
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
      // If a dead owner's claim is not reaped yet, its file still has the claim's name.
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
  /// The name in now/ that gives the item's state.
  fileprivate func name(of number: Int) -> NowName? {
    guard case .now(let state) = self.state(of: number) else { return nil }
    return names.first {
      $0.range.lane == lane && $0.state == state && $0.range.touches(number..<(number + 1))
    }
  }
}

/// Why the items of an entry are not done.
package struct Explanation {
  /// Consecutive items of the entry that share a fate; they count from 1, and the last is included.
  package struct Run {
    package var items: ClosedRange<Int>
    package let fate: Fate
    /// The unsuccessful attempts at the first of them.
    package let history: [Attempt]

    package init(items: ClosedRange<Int>, fate: Fate, history: [Attempt]) {
      self.items = items
      self.fate = fate
      self.history = history
    }
  }

  package enum Fate {
    /// Ready; `ahead` items come before it.
    case ready(ahead: Int)
    /// Handed out. `holder` is nil if the clock holds it, or if the system does not name the
    /// holder.
    case claimed(token: BatchID, attempt: Int, holder: String?, since: Instant?, until: Instant?)
    /// Waits for a time, after `attempts` attempts.
    case later(due: Instant, attempts: Int)
    case dead(isDropped: Bool)
    /// No intact line held it when its turn came.
    case lost(isDropped: Bool)
    case done
  }

  package let id: EntryID
  package let priority: Lane
  package let created: Instant
  package let accepted: Instant
  package let items: Int
  package let runs: [Run]
  package let pace: PaceView?
  /// The pause that keeps ready items from being handed out; nil if there is none.
  package let pause: Pause?

  package init(
    id: EntryID, priority: Lane, created: Instant, accepted: Instant, items: Int, runs: [Run],
    pace: PaceView?, pause: Pause?
  ) {
    self.id = id
    self.priority = priority
    self.created = created
    self.accepted = accepted
    self.items = items
    self.runs = runs
    self.pace = pace
    self.pause = pause
  }
}

/// How items leave the queue.
package struct PaceView {
  /// Time between the starts of batches; 0 if the last batch was started without a pace.
  package let every: TimeSpan
  /// Time until the next batch may start.
  package let wait: TimeSpan
  /// Time since the last batch started.
  package let sinceLast: TimeSpan
  package let size: Int
  /// Items per second recently; nil if too few have left to compute it.
  package let rate: Double?

  package init(
    every: TimeSpan, wait: TimeSpan, sinceLast: TimeSpan, size: Int, rate: Double?
  ) {
    (self.every, self.wait, self.sinceLast) = (every, wait, sinceLast)
    (self.size, self.rate) = (size, rate)
  }

  /// Time until an item with `ahead` items before it is handed out, at the recent pace or
  /// rate; nil if nothing was handed out recently enough to estimate it.
  package func estimate(ahead: Int) -> TimeSpan? {
    if every > .zero, sinceLast / 10 < max(.seconds(6), every) {
      let turns = Double(ahead / max(1, size)) * Double(every.microseconds)
      return wait + .microseconds(Int64(min(PaceView.most, turns)))
    }
    // Ten batches late: no consumer takes them now.
    guard let rate, rate > 0, sinceLast < .minutes(1),
      sinceLast
        < max(.seconds(2), .microseconds(Int64(min(PaceView.most, 1e7 * Double(size) / rate))))
    else { return nil }
    return .microseconds(Int64(min(PaceView.most, Double(ahead) / rate * 1e6)))
  }

  /// Microseconds: about thirty years, which is as good as never.
  private static let most = 1e15
}
