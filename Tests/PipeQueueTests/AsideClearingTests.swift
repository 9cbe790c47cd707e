import Testing

@testable import PipeQueue

@Suite("Clearing of dead/ and later/")
struct AsideClearingTests {
  private let scratch: ScratchQueue
  private let waiting = NowName.State.again(batch: token, attempt: 1, due: .now)

  init() throws { scratch = try ScratchQueue() }

  private func write(_ names: [SideName]) throws {
    var writer = SideWriter(scratch.queue, flushing: .names)
    for name in names { try writer.write(name, []) }
    try writer.flush()
  }

  private func left(_ kind: SideKind, _ lane: Lane = .high) throws -> [Int] {
    try scratch.queue.shards(kind, lane).flatMap {
      try scratch.queue.namesAside(kind, lane, $0).map(\.range.from.number)
    }
  }

  @Test("clearing removes the names that a range touches, and none of another kind or lane")
  func ranges() throws {
    let dead = [items(3, 4), items(99, 100), items(150, 151), items(205, 206), items(950, 951)]
    try write(dead.map { SideName(range: $0) })
    try write([SideName(range: items(99, 101), waiting: waiting)])
    try write([SideName(range: items(3, 4, .low))])
    try scratch.queue.clearAside(.dead, [items(200, 300), items(99, 151)])
    #expect(try left(.dead) == [3, 950])
    #expect(try left(.later) == [99])
    #expect(try left(.dead, .low) == [3])
    try scratch.queue.clearAside(.later, [items(100, 101)])
    #expect(try left(.later) == [])
  }

  @Test("clearing keeps a dropped name, so that its slice stays failed")
  func dropped() throws {
    try write([SideName(range: items(1, 2), isDropped: true), SideName(range: items(2, 3))])
    try scratch.queue.clearAside(.dead, [items(0, 2000)])
    #expect(try left(.dead) == [1])
  }
}
