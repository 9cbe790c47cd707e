import struct TestSupport.SplitMix

@testable import PipeIO
@testable import PipeQueue
import PipeTime

// Events of a queue.
extension Schedule {
  func enqueue() throws {
    var writeBatch = WriteBatch()
    for _ in 0..<random.number(1...3) {
      let lane = random.pick(Lane.allCases)
      let id = mint.id(at: Clock.now())
      let count = random.chance(40) ? 0 : random.number(1...6)
      let data = (0..<max(1, count)).map { _ in datum() }
      var entry = NewEntry(id: id, priority: lane)
      if count > 0 { entry.ids = (count, settings.slice) }
      let away: TimeSpan =
        setsClock || random.chance(70)
        ? 0 : random.pick([1_000_000, 10_000_000, 900_000_000])
      let notBefore = away > 0 ? instant.wall + away : 0
      if away > 0 {
        entry.options = LineOptions.column(key: nil, notBefore: notBefore, delay: nil)
      }
      writeBatch.append(entry, count > 0 ? "[\(data.joined(separator: ","))]" : data[0])
      model.enqueue(id, lane, data, slice: entry.ids?.slice ?? 0, notBefore: notBefore)
      say("enqueue \(id.text) \(lane.name) \(data) not before \(notBefore.microseconds)")
    }
    try random.pick(producers).commit(&writeBatch)
  }

  private func datum() -> String {
    nextDatum += 1
    return String(nextDatum)
  }

  func newConsumer(hides: Bool) throws -> Consumer {
    born += 1
    let consumer = try Consumer(path, born, hides: hides, limits, instant)
    consumers.append(consumer)
    model.living.insert(born)
    say("consumer \(born) hides \(hides)")
    return consumer
  }

  private func someConsumer() throws -> Consumer {
    if consumers.count < 3, consumers.isEmpty || random.chance(25) {
      return try newConsumer(hides: random.chance(50))
    }
    return random.pick(consumers)
  }

  func claim() throws {
    let every: TimeSpan =
      random.chance(60) ? 0 : random.pick([1_000_000, 5_000_000, 3_600_000_000])
    let consumer = try someConsumer()
    // Now and then until nothing is handed out: anything left behind shows at once.
    for _ in 0..<(random.chance(80) ? 1 : 5) {
      if try claim(consumer, size: random.number(1...5), every: every) == nil { return }
    }
  }

  /// Returns the token of the claim.
  func claim(_ consumer: Consumer, size: Int, every: TimeSpan) throws -> BatchID? {
    let number = consumer.model.number
    let answer = model.claim(
      &consumer.model, size: size, every: every, wall: instant.wall, steady: instant.steady)
    say("claim by \(number) size \(size) every \(every.microseconds): \(answer)")
    guard let claim = try consumer.claimer.claim(size: size, every: every) else {
      try checkNone(consumer, answer)
      return nil
    }
    guard case .batch(let keys) = answer else {
      throw Discrepancy("engine handed out \(text(of: claim)), model: \(answer)")
    }
    let token = claim.batch
    model.hand(keys, as: token, to: number)
    try check(claim, keys)
    held[token] = Box(claim)
    return token
  }

  /// Lets time pass: a little, a lot, or until something happens or just does not.
  func pass() {
    let away = model.keys.map { model[$0].due - instant.wall }.filter { $0 > 0 }
    let turn = model.lastStart.map { $0 + 5_000_000 - instant.steady } ?? 0
    var step: TimeSpan
    switch random.number(0...9) {
    case 0..<3 where !away.isEmpty:
      step = random.pick(away) - .microseconds(Int64(random.number(0...1)))
    case 3..<6 where turn > 0: step = turn - .microseconds(Int64(random.number(0...1)))
    case 6..<8: step = .microseconds(random.number(0...3_000_000))
    case 8: step = .microseconds(random.number(0...900_000_000))
    default: step = 0
    }
    instant.steady = instant.steady + step
    // The clock is set.
    if setsClock, random.chance(12) {
      step = step - .microseconds(random.number(-100_000_000...100_000_000))
    }
    instant.wall = instant.wall + step
    instant.random = random.next()
    say(
      "time goes on by \(step.microseconds): \(instant.wall.microseconds), \(instant.steady.microseconds)"
    )
  }

  /// Consumers vanish, and their locks with them.
  func die(all: Bool = false) throws {
    guard !consumers.isEmpty else { return }
    for _ in 0..<(all ? consumers.count : 1) {
      let index = random.number(0...(consumers.count - 1))
      let (number, slot) = (consumers[index].model.number, consumers[index].claimer.owner?.slot)
      say("consumer \(number) dies")
      consumers.remove(at: index)
      model.living.remove(number)
      // A child that another test is just starting holds the lock until it runs.
      while let slot, !Owner.isDead(slot, queue) {}
    }
    for (token, handed) in model.claims where !model.living.contains(handed.maker) {
      if let box = held.removeValue(forKey: token) { stale.append((token, box)) }
    }
  }

  /// Everything is opened again.
  func restart() throws {
    say("restart")
    if random.chance(30) { try die(all: true) }
    queue = try Queue(path: path)
    producers = [Appender(try Queue(path: path)), Appender(queue)]
  }

  func treatDead() throws {
    let dead = model.deadKeys().map { model[$0].entry }
    let id = dead.isEmpty || random.chance(5) ? model.entries.last?.id : random.pick(dead)
    guard let id else { return }
    if random.chance(70) {
      say("revive \(id.text)")
      try expect(try queue.revive(id), is: model.revive(id), "revived of \(id.text)")
    } else {
      say("drop \(id.text)")
      try expect(try queue.drop(id), is: model.drop(id), "dropped of \(id.text)")
    }
  }

  /// A person changes the time of entries that wait.
  func change() throws {
    let claimer = Claimer(try Queue(path: path))
    claimer.wall = { [instant] in instant.wall }
    claimer.limits = limits
    let ids = Set((0..<random.number(1...4)).map { _ in random.pick(model.entries).id })
    let items = try ids.sorted().flatMap { try queue.waiting(of: $0, at: instant.wall)!.waiting }
      .filter { item in numbers(of: item).allSatisfy { model[$0].state == .ready } }
    guard !items.isEmpty else { return }
    let keys = items.flatMap(numbers(of:))
    let due = newTime()
    say("change \(keys) to \(due)")
    try expect(try claimer.reschedule(items, to: due), is: keys.count, "changed items")
    model.change(keys, to: due, at: instant.wall)
    // Taking a slot includes a look for claims of dead holders.
    if claimer.owner != nil { model.reap(at: instant.wall) }
  }

  private func numbers(of items: WaitingItems) -> [Model.Key] {
    items.range.numbers.map { Model.Key(lane: items.range.lane, number: $0) }
  }

  private func newTime() -> Claimer.Due {
    if random.chance(25) { return .now }
    let span: TimeSpan = random.pick([200_000, 1_000_000, 10_000_000, 900_000_000])
    return setsClock || random.chance(50) ? .after(span) : .at(instant.wall + span)
  }
}
