import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

@Suite("Claims")
struct ClaimTests {
  private let scratch: ScratchQueue

  init() throws {
    scratch = try ScratchQueue()
    try scratch.store((0..<4).map { id(at: Clock.now(), $0) })
  }

  private func names() throws -> [NowName] { try scratch.queue.listNow().names }

  private struct NothingReady: Error {}

  private func claim(_ claimer: Claimer, _ size: Int) throws -> Claim {
    guard let claim = try claimer.claim(size: size) else { throw NothingReady() }
    return claim
  }

  /// Claims with a claimer that is gone when this returns, as if its process had died.
  private func claimAndDie(_ size: Int) throws {
    var claimer: Claimer? = Claimer(scratch.queue)
    let claim = try claim(claimer!, size)
    let count = claim.items.count
    #expect(count == size)
    let slot = try #require(claimer?.owner?.slot)
    claimer = nil
    // A child that another test is just starting holds the lock until it runs.
    while !Owner.isDead(slot, scratch.queue) {}
  }

  @Test("a claim lasts while its holder lives")
  func stands() throws {
    let holder = Claimer(scratch.queue)
    let claim = try claim(holder, 4)
    let other = Claimer(scratch.queue)
    #expect(throws: NothingReady.self) { _ = try self.claim(other, 4) }
    try holder.done(claim)
    #expect(try names().map(\.state) == [.done])
    #expect(throws: NothingReady.self) { _ = try self.claim(other, 4) }
  }

  @Test("a claim of a dead holder is ready again at once, its attempt counted")
  func reaped() throws {
    try claimAndDie(3)
    #expect(try names().map(\.isClaim) == [true])
    let other = Claimer(scratch.queue)
    let claim = try claim(other, 9)
    let (attempt, count) = (claim.attempt, claim.items.count)
    #expect(attempt == 2 && count == 3, "what was never tried does not come with it")
    try other.done(claim)
    try other.done(try self.claim(other, 9))
    #expect(try names().filter { !$0.isDone } == [])
  }

  @Test("a claim in a slot that another holder took over is reaped, too")
  func slot() throws {
    try claimAndDie(2)
    let next = Claimer(scratch.queue)
    let claim = try claim(next, 1)
    let attempt = claim.attempt
    #expect(attempt == 2, "what the dead one held comes first")
    #expect(try names().contains { $0.isAgain })
    try next.giveBack(claim)
  }

  @Test("a claim that was reaped meanwhile cannot be settled, and the error says so")
  func lost() throws {
    let claimer = Claimer(scratch.queue)
    let claim = try claim(claimer, 1)
    let name = try #require(try names().first)
    let again = NowName(name.range, .again(batch: claim.batch, attempt: 1, due: .now))
    #expect(try scratch.queue.rename(name, to: again))
    do {
      try claimer.done(claim)
      Issue.record("a lost claim was settled")
    } catch {
      #expect(error.kind == .claimLost)
    }
    #expect(try names() == [again])
  }

  @Test("a failed item without a backoff is ready, even if the clock is then set back")
  func clockSetBack() throws {
    let scratch = try ScratchQueue { $0.backoff = Backoff(base: 0, most: 0) }
    try scratch.store([id(at: Clock.now())])
    let claimer = Claimer(scratch.queue)
    _ = try claimer.retry(try claim(claimer, 1), Failure("test"))
    let other = Claimer(scratch.queue)
    other.wall = { Clock.now() - TimeSpan.days(365) }
    let claim = try claim(other, 1)
    let attempt = claim.attempt
    #expect(attempt == 2)
    try other.done(claim)
  }

  @Test("a claim may end in the middle of an entry, and the rest is claimed later")
  func parts() throws {
    let scratch = try ScratchQueue()
    var writeBatch = WriteBatch()
    writeBatch.append(NewEntry(id: anEntry, priority: .high, ids: (5, 3)), "[11,12,13,14,15]")
    try Appender(scratch.queue).commit(&writeBatch)
    let claimer = Claimer(scratch.queue)
    var taken: [String] = []
    while let claim = try claimer.claim(size: 2) {
      taken.append(String(decoding: claim.bytes, as: UTF8.self))
      let indices = claim.items.map(\.index)
      #expect(indices == [1, 2, 3, 4, 5].filter { ($0 + 1) / 2 == taken.count })
      try claimer.done(claim)
    }
    #expect(taken == ["11\n12\n", "13\n14\n", "15\n"])
    let names = try scratch.queue.listNow().names
    let line = LaneMap(.high, end: try scratch.queue.ends()[.high].position, names: names)
    #expect(line.undone == [])
  }
}
