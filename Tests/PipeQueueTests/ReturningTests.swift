import Testing

import PipeTime
@testable import PipeIO
@testable import PipeQueue

@Suite("Returning items")
struct ReturningTests {
  private let claimer: Claimer
  private let queue: Queue
  private let scratch: ScratchQueue
  private let instant = TestClock()

  init() throws {
    scratch = try ScratchQueue {
      $0.retries = 2
      $0.backoff = Backoff(base: 0, most: 0)
    }
    queue = scratch.queue
    claimer = Claimer(queue, hidesOwnFailures: false)
    claimer.wall = { [instant] in instant.wall }
    claimer.steady = { [instant] in instant.steady }
  }

  private struct NothingReady: Error {}

  private func claim(_ size: Int = 9) throws -> Claim {
    guard let claim = try claimer.claim(size: size) else { throw NothingReady() }
    return claim
  }

  /// Stores a new entry with `count` items; returns its id.
  private func store(_ count: Int, _ lane: Lane = .medium) throws -> EntryID {
    let new = id(at: Clock.now(), UInt64(lane.rawValue))
    var writeBatch = WriteBatch()
    let list = (1...count).map { String($0) }.joined(separator: ",")
    writeBatch.append(NewEntry(id: new, priority: lane, ids: (count, 1)), "[\(list)]")
    try Appender(queue).commit(&writeBatch)
    return new
  }

  private func data(_ claim: borrowing Claim) -> String {
    String(decoding: claim.bytes, as: UTF8.self)
  }

  private let failure = Failure("exit 1", exitStatus: 1)

  @Test("a revived item is not lost when it is given back")
  func revived() throws {
    let entry = try store(3)
    let dead = try claim()
    _ = try claimer.bury(dead, failure)
    let count = try queue.revive(entry)
    #expect(count == 3)
    try claimer.giveBack(try claim())
    #expect(try queue.status(entry)?.word == .yetToStart)
    let part = try claim(2)
    _ = try claimer.settle(part) { $0 == 0 ? .giveBack : .done }
    let last = try claim()
    let text = data(last)
    #expect(text == "1\n3\n")
    try claimer.done(last)
    #expect(try queue.status(entry)?.word == .completed)
  }

  @Test("a name that a crash left inside a wider one is not parked beside it")
  func inside() throws {
    let entry = try store(2)
    _ = try claimer.retry(try claim(2), failure)
    let waiting = try #require(try queue.waiting(of: entry)).waiting
    _ = try claimer.reschedule(waiting, to: .after(.hours(1)))
    let wide = try #require(try queue.namesNow().first { $0.isAgain })
    #expect(wide.range.count == 2)
    var rest = wide
    rest.range.from.number += 1
    var nowDirectory = NowDirectory(queue, try queue.listNow())
    try nowDirectory.create(rest)
    claimer.limits.mostWaiting = claimer.limits.portion
    try claimer.park()
    #expect(try queue.namesAside(.later, .medium, 0).map(\.range) == [wide.range])
    #expect(try !queue.namesNow().contains { $0.isAgain && $0.range.overlaps(wide.range) })
  }

  @Test("a revived item comes before the items behind it, however many are ready")
  func order() throws {
    let first = try store(1, .high)
    _ = try claimer.bury(try claim(), failure)
    _ = try store(2, .low)
    claimer.limits.enough = 1
    _ = try claimer.retry(try claim(), failure)
    #expect(try queue.revive(first) == 1)
    let next = try claim(1)
    let priority = next.items[0].priority
    #expect(priority == .high)
    try claimer.done(next)
  }

  @Test("an item at its last attempt comes alone, even if others of its batch have one more")
  func alone() throws {
    _ = try store(3)
    _ = try claimer.retry(try claim(), failure)
    _ = try claimer.settle(try claim()) { $0 == 0 ? .giveBack : .retry(failure) }
    var sizes: [Int] = []
    while let claim = try claimer.claim(size: 9) {
      sizes.append(claim.items.count)
      try claimer.done(claim)
    }
    #expect(sizes == [1, 1, 1])
  }

  @Test("an item that the clock held at its last attempt is buried, and not tried again")
  func held() throws {
    let entry = try store(1)
    for _ in 1...2 { _ = try claimer.retry(try claim(), failure) }
    _ = try claimer.hold(try claim(), for: 5_000_000)
    instant.wall += 5_000_000
    #expect(throws: NothingReady.self) { _ = try self.claim() }
    #expect(try queue.status(entry)?.word == .failed)
    let letter = try #require(try queue.deadLetters(of: entry)?.first)
    #expect(letter.history.map(\.number) == [1, 2, 3])
    #expect(letter.history.last?.reason == "not settled within its hold time")
  }

  @Test("a dropped item is not listed, and its entry stays failed")
  func dropped() throws {
    let entry = try store(1)
    _ = try claimer.bury(try claim(), failure)
    #expect(try queue.drop(entry) == 1)
    var lines = 0
    try queue.list(ListedEntry.State.allCases, at: instant.wall) { _ in
      lines += 1
      return true
    }
    #expect(lines == 0)
    #expect(try queue.status(entry)?.word == .failed)
  }
}
