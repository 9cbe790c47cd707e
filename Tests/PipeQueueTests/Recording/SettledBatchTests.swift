import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

@Suite("Settled batches")
struct SettledBatchTests {
  private let scratch: ScratchQueue
  private let claimer: Claimer
  private let instant = TestClock()

  init() throws {
    scratch = try ScratchQueue {
      $0.retries = 1
      $0.backoff = Backoff(base: 0, most: 0)
    }
    claimer = Claimer(scratch.queue, hidesOwnFailures: false)
    claimer.wall = { [instant] in instant.wall }
    claimer.steady = { [instant] in instant.steady }
  }

  private struct NothingReady: Error {}

  private func claim(_ size: Int = 9) throws -> Claim {
    guard let claim = try claimer.claim(size: size) else { throw NothingReady() }
    return claim
  }

  private func store(_ count: UInt64) throws {
    for number in 0..<count { try scratch.store([id(at: instant.wall, number)]) }
    instant.wall = Clock.now()
  }

  private func recordings() throws -> [String: Recording] {
    var found: [String: Recording] = [:]
    try scratch.queue.recordings(since: nil, at: instant.wall) {
      found["\($0.kind.rawValue) \($0.tag ?? "-")"] = $0
    }
    return found
  }

  private let failure = Failure("exit 1", exitStatus: 1)

  @Test("a batch is recorded with how long its items waited and how long they took")
  func times() throws {
    try store(3)
    instant.wall += 700_000_000
    let batch = try claim()
    instant.wall += 30_000_000
    try claimer.done(batch)
    let found = try recordings()
    #expect(Set(found.keys) == ["wait -", "service -", "total -", "batches -"])
    #expect(found.values.allSatisfy { $0.items == 3 && $0.last == instant.wall })
    func check(_ kind: String, _ seconds: Int, count: Int) throws {
      let times = try #require(found["\(kind) -"]).times
      #expect(times.reduce(0) { $0 + $1.count } == count, "\(kind)")
      // They were stored within some seconds of each other, even on the busiest machine.
      let range = seconds * 1_000_000...(seconds + (kind == "service" ? 0 : 60)) * 1_001_000
      #expect(times.allSatisfy { range.contains($0.microseconds) }, "\(kind): \(times)")
    }
    try check("wait", 700, count: 3)
    try check("service", 30, count: 3)
    try check("total", 730, count: 3)
    try check("batches", 30, count: 1)
  }

  @Test("a batch settled in parts is recorded by part: done, failed and buried, but not given back")
  func parts() throws {
    try store(6)
    let batch = try claim()
    let rest = try claimer.settle(batch) { item in
      [.done, .retry(failure), .giveBack, .bury(failure), .done, nil][item]
    }
    let found = try recordings()
    #expect(
      found.mapValues(\.items) == [
        "wait -": 2, "service -": 2, "total -": 2, "batches -": 2, "retried -": 1, "buried -": 1,
      ])
    if let rest { try claimer.giveBack(rest) }
    #expect(try recordings().mapValues(\.items) == found.mapValues(\.items))
  }

  @Test("an item that fails for the last time is recorded as buried")
  func lastAttempt() throws {
    try store(1)
    _ = try claimer.retry(try claim(), failure)
    #expect(try recordings().mapValues(\.items) == ["retried -": 1])
    instant.wall += 1
    _ = try claimer.retry(try claim(), failure)
    #expect(try recordings().mapValues(\.items) == ["retried -": 1, "buried -": 1])
  }

  @Test("a batch is recorded under the tag of the process that settled it")
  func tag() throws {
    try store(2)
    claimer.tag = "blue"
    try claimer.done(try claim(1))
    claimer.tag = "green"
    try claimer.done(try claim(1))
    let found = try recordings()
    #expect(found.count == 8 && found["wait blue"]?.items == 1 && found["wait green"]?.items == 1)
  }

  @Test("a batch settled before it was claimed, by a clock that was set back, took no time")
  func clockSetBack() throws {
    try store(1)
    let batch = try claim()
    instant.wall += .hours(-1)
    try claimer.done(batch)
    #expect(try recordings()["service -"]?.times.map(\.microseconds) == [0])
  }

  @Test("a batch of many items that were accepted at once is one short line")
  func short() throws {
    var writeBatch = WriteBatch()
    let list = (1...1000).map { String($0) }.joined(separator: ",")
    let new = id(at: Clock.now())
    writeBatch.append(NewEntry(id: new, priority: .low, ids: (1000, 3)), "[\(list)]")
    try Appender(scratch.queue).commit(&writeBatch)
    try claimer.done(try claim(1000))
    #expect(try scratch.bytes("log").count < 100)
    #expect(try Tally(scratch.queue).done == 1000)
  }
}

@Suite("Batch ids")
struct BatchIDTests {
  private let run = ConsumerRun(random: EntryID(ULID(high: .max, low: 0x1234_5678_9abc_def0)))

  /// Microseconds since the epoch: until the year 10889, when ULIDs end.
  static let times: [Instant] = [
    0, 1, 999, 1000, 1_795_244_400_123_456, 1_795_244_400_999_999,
    Instant(microseconds: (1 << 48) * 1000 - 1),
  ]

  @Test("a batch id has the time of its claim, to the microsecond, and its run", arguments: times)
  func claimed(time: Instant) {
    for serial: UInt64 in [0, 1, 0x3f_ffff, 0x40_0000, .max] {
      let batch = run.batch(serial, at: time)
      #expect(batch.claimed == time && ConsumerRun(of: batch) == run)
      #expect(batch.withdrawn.claimed == time && ConsumerRun(of: batch.withdrawn) == run)
      #expect(BatchID(batch.text) == batch)
    }
  }

  @Test("a batch id from before the epoch, by a wrong clock, has the time of the epoch")
  func early() {
    #expect(run.batch(1, at: -5).claimed == 0)
  }

  @Test("each line has a token of its own with the same time and run, and never the withdrawn one")
  func tokens() {
    let batch = run.batch(7, at: 1_795_244_400_999_999)
    let claim = Claim(batch: batch, attempt: 1, items: [], bytes: [], parts: [], acceptances: [])
    let tokens = (0..<32_767).map { claim.token($0) }
    #expect(Set(tokens).count == tokens.count && !tokens.contains(batch))
    #expect(tokens.allSatisfy { $0.claimed == batch.claimed && ConsumerRun(of: $0) == run })
    #expect(tokens.allSatisfy { batch < $0 && $0 < batch.withdrawn })
  }

  @Test("ids of two batches of the same microsecond differ, and so do those of two runs")
  func different() {
    let ids = (0..<1000).map { run.batch($0, at: 5) }
    #expect(Set(ids).count == 1000)
    let other = ConsumerRun(random: EntryID(ULID(high: .max, low: 0x1235_5678_9abc_def0)))
    #expect(other != run && other.batch(1, at: 5) != run.batch(1, at: 5))
  }

  @Test("a batch id is never one of the reserved ids for a delay or a revival")
  func reserved() {
    for low in [UInt64(0), 1, 1 << 48] {
      let run = ConsumerRun(random: EntryID(ULID(high: 0, low: low)))
      #expect(run != ConsumerRun(of: .delayed) && run != ConsumerRun(of: .revived))
    }
  }

  @Test("any batch id has a time, whatever its bits")
  func hostile() {
    for id in [BatchID(ULID(high: .max, low: .max)), BatchID(ULID(high: 0, low: 0))] {
      #expect(id.claimed >= 0 && id.withdrawn.claimed >= 0)
    }
  }
}
