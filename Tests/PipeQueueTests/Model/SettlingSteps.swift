import struct TestSupport.SplitMix

@testable import PipeIO
@testable import PipeQueue
import PipeTime

// Events of a claim.
extension Schedule {
  // In an order that a seed always reproduces.
  private func tokens(where isMeant: (Model.Handed) -> Bool = { _ in true }) -> [BatchID] {
    model.claims.filter { isMeant($0.value) }.sorted { $0.value.keys[0] < $1.value.keys[0] }
      .map(\.key)
  }

  func settle() throws {
    let tokens = tokens()
    guard !tokens.isEmpty else { return }
    let token = random.pick(tokens)
    let handed = model.claims[token]!
    guard !handed.isHeld, let owner = consumers.first(where: { $0.model.number == handed.maker }),
      random.chance(75), let box = held.removeValue(forKey: token)
    else { return try adopt(token) }
    try settle(box.take(), by: owner.claimer)
  }

  /// Like `ack`: the process that settles is not the one that claimed.
  private func adopt(_ token: BatchID) throws {
    let ack: Claimer
    if consumers.isEmpty || random.chance(50) {
      ack = Claimer(try Queue(path: path))
      ack.wall = { [instant] in instant.wall }
      ack.random = { [instant] in instant.random }
    } else {
      ack = random.pick(consumers).claimer
    }
    let isHeld = model.isHeld(token, at: instant.wall)
    say("adopt \(token.text): held \(isHeld)")
    guard let claim = try ack.adopt(token, try ack.holdings([token])) else {
      return try expect(!isHeld, "\(token.text) cannot be adopted, though it is held")
    }
    try expect(isHeld, "\(token.text) can be adopted, though nobody holds it")
    try check(claim, model.claims[token]!.keys)
    held[token] = nil
    let hadSlot = ack.owner != nil
    try settle(claim, by: ack)
    // Taking a slot includes a look for claims of its last holder.
    if !hadSlot, ack.owner != nil { model.reap(at: instant.wall) }
  }

  private func settle(_ claim: consuming Claim, by claimer: Claimer) throws {
    instant.random = random.next()
    let (token, count, attempt) = (claim.batch, claim.items.count, claim.attempt)
    switch random.number(0...99) {
    case 0..<25:
      note(token, attempt, [Outcome?](repeating: .done, count: count))
      try claimer.done(claim)
    case 25..<50:
      let failure = failure()
      let wait = note(token, attempt, [Outcome?](repeating: .retry(failure), count: count))
      let isLast = attempt > settings.retries
      try expect(
        try claimer.retry(claim, failure), is: isLast ? .buried(items: count) : .again(after: wait),
        "what became of \(token.text)")
    case 50..<56:
      let failure = failure()
      note(token, attempt, [Outcome?](repeating: .bury(failure), count: count))
      try expect(
        try claimer.bury(claim, failure), is: .buried(items: count), "buried of \(token.text)")
    case 56..<64:
      note(token, attempt, [Outcome?](repeating: .giveBack, count: count))
      try claimer.giveBack(claim)
    case 64..<70:
      let first = random.number(0...count)
      note(token, attempt, (0..<count).map { $0 < first ? .done : .giveBack })
      try claimer.acknowledge(claim, first: first)
    default:
      try settle(claim, by: claimer, (0..<count).map { _ in outcome() })
    }
  }

  // Item by item; items that are not settled stay claimed.
  private func settle(
    _ claim: consuming Claim, by claimer: Claimer, _ outcomes: [Outcome?]
  ) throws {
    let token = claim.batch
    note(token, claim.attempt, outcomes)
    guard let rest = try claimer.settle(claim, { outcomes[$0] }) else {
      return try expect(model.claims[token] == nil, "nothing is left of \(token.text)")
    }
    guard let handed = model.claims[token] else {
      throw Discrepancy("something is left of \(token.text)")
    }
    try expect(text(of: rest), is: text(of: handed.keys), "the rest of \(token.text)")
    if !handed.isHeld, model.living.contains(handed.maker) { held[token] = Box(rest) }
  }

  @discardableResult
  private func note(_ token: BatchID, _ attempt: Int, _ outcomes: [Outcome?]) -> TimeSpan {
    say("settle \(token.text): \(outcomes.map { $0.map(Schedule.word) ?? "-" })")
    return model.settle(
      token, attempt: attempt, outcomes, wall: instant.wall, random: instant.random)
  }

  private static func word(_ outcome: Outcome) -> String {
    switch outcome {
    case .done: "done"
    case .giveBack: "giveBack"
    case .retry: "retry"
    case .bury: "bury"
    case .wait: "wait"
    }
  }

  private func outcome() -> Outcome? {
    switch random.number(0...9) {
    case 0..<3: .done
    case 3..<5: .giveBack
    case 5..<8: .retry(failure())
    case 8: .bury(failure())
    default: nil
    }
  }

  private func failure() -> Failure {
    let number = Int32(random.number(1...3))
    return random.chance(50)
      ? Failure("exit \(number)", exitStatus: number, stderr: Array("oops \(number)\n".utf8))
      : Failure("signal \(number),\n100 %", signal: number)
  }

  func hold() throws {
    let tokens = tokens { !$0.isHeld && model.living.contains($0.maker) }
    guard !tokens.isEmpty else { return }
    let token = random.pick(tokens)
    let owner = consumers.first { $0.model.number == model.claims[token]!.maker }!
    guard let box = held.removeValue(forKey: token) else { return }
    let span: TimeSpan = random.pick([1_000_000, 5_000_000, 600_000_000])
    say("hold \(token.text) for \(span.microseconds)")
    model.hold(token, for: span, wall: instant.wall)
    stale.append((token, Box(try owner.claimer.hold(box.take(), for: span))))
  }

  /// A late settlement is refused and changes nothing.
  func settleStale() throws {
    guard let index = stale.firstIndex(where: { model.claims[$0.token] == nil }) else { return }
    let (token, box) = stale.remove(at: index)
    say("late: done with \(token.text)")
    let late = Claimer(try Queue(path: path))
    var kind: Fault.Kind?
    do throws(Fault) { try late.done(box.take()) } catch { kind = error.kind }
    try expect(kind, is: .claimLost, "a late settlement of \(token.text)")
  }
}
