import Foundation

import struct TestSupport.SplitMix

@testable import PipeIO
@testable import PipeQueue
import PipeTime

/// A difference between the engine and the model.
struct Discrepancy: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The time, and the random number, that claimers get.
final class TestClock {
  // Ahead of the machine's own clock, which stamps new entries.
  var wall = Instant(microseconds: Clock.now().microseconds / 1_000_000 * 1_000_000) + .days(1)
  var steady: SteadyInstant = 1_000_000_000_000
  var random: UInt64 = 0
}

/// A claim that can be taken out once.
final class Box {
  private var claim: Claim?

  init(_ claim: consuming Claim) { self.claim = consume claim }

  func take() -> Claim { claim.take()! }
}

/// A consumer, with everything of its own that a process has.
final class Consumer {
  let claimer: Claimer
  var model: Model.Consumer

  init(
    _ path: String, _ number: Int, hides: Bool, _ limits: NowLimits, _ instant: TestClock
  ) throws {
    claimer = Claimer(try Queue(path: path), hidesOwnFailures: hides)
    claimer.limits = limits
    claimer.wall = { instant.wall }
    claimer.steady = { instant.steady }
    claimer.random = { instant.random }
    model = Model.Consumer(number: number, hidesOwnFailures: hides)
  }
}

/// One random run of a queue and its model, side by side.
final class Schedule {
  var random: SplitMix
  let path: String
  let settings: Settings
  var queue: Queue
  var model: Model
  let instant = TestClock()
  let limits: NowLimits
  /// Whether the clock is set now and then. If so, nothing waits for a time of day: whether that
  /// has come would be another question each time.
  let setsClock: Bool
  var consumers: [Consumer] = []
  var born = 0
  /// Unsettled claims, by token.
  var held: [BatchID: Box] = [:]
  /// Claims of dead consumers, and claims that the clock holds.
  var stale: [(token: BatchID, box: Box)] = []
  var producers: [Appender] = []
  var mint = ULIDGenerator()
  var nextDatum = 0
  private(set) var log: [String] = []

  init(seed: UInt64, in directory: String) throws {
    random = SplitMix(seed: seed)
    path = "\(directory)/\(seed)"
    var chosen = Settings()
    chosen.slice = random.number(1...3)
    chosen.retries = random.number(0...3)
    let base = random.pick([0, 1000, 1_000_000, 10_000_000])
    chosen.backoff = Backoff(
      base: TimeSpan(microseconds: base),
      most: TimeSpan(microseconds: base * random.pick([1, 4, 100])))
    let settings = chosen
    queue = try Queue.create(path: path, change: { $0 = settings })
    self.settings = settings
    model = Model(settings)
    setsClock = random.chance(50)
    limits = random.chance(40) ? Schedule.tight(&random) : NowLimits()
    producers = [Appender(queue), Appender(try Queue(path: path))]
    say(
      "slice \(settings.slice) retries \(settings.retries) backoff \(settings.backoff.base.microseconds)"
        + "..\(settings.backoff.most.microseconds) \(limits)")
  }

  // So small that names move to later/ all the time. If few names are `enough`, an item that
  // becomes due there comes behind those ready here, whatever its place: there is no order to
  // compare.
  private static func tight(_ random: inout SplitMix) -> NowLimits {
    NowLimits(mostWaiting: random.number(0...3), portion: random.number(1...4))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func say(_ text: String) { log.append(text) }

  func expect(_ holds: Bool, _ text: @autoclosure () -> String) throws(Discrepancy) {
    if !holds { throw Discrepancy(text()) }
  }

  func expect<T: Equatable>(_ engine: T, is model: T, _ text: String) throws(Discrepancy) {
    if engine != model { throw Discrepancy("\(text): engine \(engine), model \(model)") }
  }

  func run() throws {
    try enqueue()
    for _ in 0..<random.number(8...32) { try step() }
    try checkAll()
    for _ in 0..<3 { try check(random.pick(model.entries).id) }
    try drain()
    try checkAll()
  }

  private func step() throws {
    switch random.number(0...99) {
    case 0..<17: try enqueue()
    case 17..<45: try claim()
    case 45..<69: try settle()
    case 69..<80: pass()
    case 80..<82: try change()
    case 82..<86: try hold()
    case 86..<90: try die()
    case 90..<92: try restart()
    case 92..<96: try treatDead()
    case 96..<98: try change()
    default: try settleStale()
    }
    if random.chance(33) { try check(random.pick(model.entries).id) }
  }

  // At the end nothing is lost and nothing is left.
  private func drain() throws {
    say("drain")
    try die(all: true)
    // Items that the clock holds come back by the clock.
    instant.wall += .days(1)
    instant.steady += .days(1)
    let last = try newConsumer(hides: false)
    while let token = try claim(last, size: random.number(1...4), every: 0) {
      let claim = held.removeValue(forKey: token)!.take()
      model.settle(
        token, attempt: 1, claim.items.map { _ in .done }, wall: instant.wall, random: 0)
      try last.claimer.done(claim)
    }
    for key in model.keys {
      let state = model[key].state
      try expect([.done, .dead, .dropped].contains(state), "\(key) is left: \(state)")
    }
    try expect(model.claims.isEmpty, "claims are left: \(model.claims)")
  }
}
