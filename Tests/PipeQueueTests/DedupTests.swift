import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

@Suite("Duplicates")
struct DedupTests {
  private let scratch: ScratchQueue
  private let minute: TimeSpan = 60_000_000

  init() throws { scratch = try ScratchQueue() }

  private func entry(_ number: UInt64, _ lane: Lane = .medium) -> NewEntry {
    NewEntry(id: id(at: Clock.now(), number), priority: lane)
  }

  private func store(
    _ data: [String], window: TimeSpan, _ lane: Lane = .medium
  ) throws -> [Receipt] {
    var writeBatch = WriteBatch()
    for (number, data) in data.enumerated() { writeBatch.append(entry(UInt64(number), lane), data) }
    try Appender(scratch.queue, dedup: window).commit(&writeBatch)
    return writeBatch.receipts
  }

  private func index() throws -> KeyIndex {
    let directory = try scratch.queue.root.existing("dedup")
    return try #require(try KeyIndex.open(directory, boot: .current()))
  }

  @Test("entries are compared byte by byte: an equal hash alone does not make a duplicate")
  func collision() throws {
    let first = try store(["1"], window: minute)
    let index = try index()
    let hash = KeyHash(seed: index.state.seed)
    var writeBatch = WriteBatch()
    writeBatch.append(entry(9), "2")
    let wanted = writeBatch.withLine(.medium, 0) { Fingerprint($0, .medium, hash).wanted }
    let covered = index.state.covered[.medium]
    try index.insert(
      [Slot(wanted, .medium, 1, 0)], times: 1...1, .medium, upTo: covered)
    #expect(try store(["2"], window: minute).map(\.isDuplicate) == [false])
    let again = try store(["1"], window: minute)
    #expect(again == [Receipt(id: first[0].id, isDuplicate: true)])
  }

  @Test("an entry is a duplicate by its key, by a record's bytes, or by ids and priority")
  func comparison() {
    func repeats(_ new: String, _ old: String, _ key: String? = nil, ids: Bool = false) -> [Bool] {
      var writeBatch = WriteBatch()
      for (lane, data) in [(.low, new), (.low, old), (.high, old)] as [(Lane, String)] {
        var entry = NewEntry(id: anEntry, priority: lane, ids: ids ? (1, 3) : nil)
        entry.options = key.map { Array("{\"key\":\($0)}".utf8) }
        writeBatch.append(entry, data)
      }
      return writeBatch.withLine(.low, 0) { line in
        [(1, .low), (0, .high)].map { (index: Int, lane: Lane) in
          writeBatch.withLine(lane, index) { line.repeats($0, .low, lane) }
        }
      }
    }
    #expect(repeats("[1]", "[1]") == [true, true])
    #expect(repeats("[1]", "[1]", ids: true) == [true, false])
    #expect(repeats("[1]", "[2]", ids: true) == [false, false])
    #expect(repeats("[1]", "[2]", #""k""#, ids: true) == [true, true])
    #expect(repeats("[1]", "[1") == [false, false] && repeats("[1", "[1]") == [false, false])
  }

  @Test("duplicates are looked for in the segments if the index knows more lines than there are")
  func ahead() throws {
    _ = try store(["1"], window: minute)
    let index = try index()
    let beyond = IndexState.Covered(segment: 1, offset: 5000)
    try index.insert([Slot(1, .medium, 1, 0)], times: 1...1, .medium, upTo: beyond)
    #expect(try store(["1", "2"], window: minute).map(\.isDuplicate) == [true, false])
    #expect(try store(["2"], window: minute).map(\.isDuplicate) == [true])
  }

  @Test(
    "a duplicate is found in lines of any lane that another writer has not flushed yet",
    arguments: [Lane.medium, .low])
  func unflushed(lane: Lane) throws {
    let end = {
      try #require(try scratch.queue.end.names().first { $0.hasPrefix(lane.name) })
    }
    let before = try end()
    let first = try store(["1"], window: minute, lane)
    let published = try end()
    #expect(try scratch.queue.end.rename(published, to: before) == .renamed)
    let again = try store(["1"], window: minute)
    #expect(again == [Receipt(id: first[0].id, isDuplicate: true)])
    #expect(try end() == published, "flushed and published before the receipt")
  }

  @Test("a commit that waits for room and comes again still has its other ids looked up")
  func retried() throws {
    var writeBatch = WriteBatch()
    writeBatch.hasForeignIDs = true
    let now = Clock.now()
    let (a, b) = (id(at: now, 1), id(at: now, 2))
    writeBatch.append(NewEntry(id: a, priority: .low), "1")
    writeBatch.append(NewEntry(id: b, priority: .low), "2")
    writeBatch.answer([1: id(at: 1000)])
    try scratch.store([a])
    try Appender(scratch.queue).commit(&writeBatch)
    #expect(writeBatch.receipts.map(\.isDuplicate) == [true, true])
    #expect(writeBatch.receipts.map(\.id) == [a, id(at: 1000)])
  }

  @Test("a duplicate is found when a longer window is requested than the index was made for")
  func longer() throws {
    _ = try store(["1"], window: 0)
    _ = try store(["2"], window: 1)
    let from = try index().state.completeFrom
    #expect(try store(["1"], window: 3600 * minute).map(\.isDuplicate) == [true])
    #expect(try index().state.completeFrom < from)
    #expect(try index().state.window == 3600 * minute)
  }

  /// An index with a window of one minute, made and caught up at this time.
  private func caughtUp(asked: Instant) throws -> KeyIndex {
    let mark = try scratch.queue.ends()[.medium]
    let start = IndexState.Covered(segment: 1, offset: 0)
    let state = IndexState(
      boot: .current(), seed: 1, completeFrom: 0, window: minute, asked: asked,
      covered: .repeating(start))
    let directory = try scratch.queue.root.subdirectory(making: "dedup")
    let index = try KeyIndex.create(directory, state)
    try index.catchUp(scratch.queue, upTo: mark)
    let place = mark.position
    #expect(index.state.covered[.medium] == .init(segment: place.segment, offset: place.offset))
    return index
  }

  @Test(
    "the index takes in lines no older than its window, whole segments at a time",
    arguments: [10, 5 << 20])
  func tooOld(size: Int) throws {
    let large = "\"" + String(repeating: "x", count: size) + "\""
    for _ in 0..<5 { _ = try store([large], window: 0) }
    let mark = try scratch.queue.ends()[.medium]
    #expect(mark.position.segment == (size > 10 ? 3 : 1))
    let all = try caughtUp(asked: mark.time)
    #expect(all.generations[0].header.count == 4 && all.state.completeFrom == 0, "4 are kept")
    let last = try caughtUp(asked: mark.time + 2 * minute)
    #expect(last.generations[0].header.count == 1 && last.state.completeFrom == mark.time)
    let none = try caughtUp(asked: mark.time + 2 * minute + 1)
    #expect(none.generations[0].header.count == 0 && none.state.completeFrom == mark.time + 1)
  }

  @Test("a duplicate is found in a copy of a queue with more segments than its lane end knows")
  func staleEnd() throws {
    let large = "\"" + String(repeating: "x", count: 9 << 20) + "\""
    _ = try store([large], window: minute)
    let end = { try #require(try scratch.queue.end.names().first { $0.hasPrefix("MEDIUM") }) }
    let stale = try end()
    _ = try store(["1"], window: 0)
    #expect(try scratch.queue.end.rename(try end(), to: stale) == .renamed)
    #expect(try store(["2"], window: minute).map(\.isDuplicate) == [false])
    #expect(try store(["1", "2"], window: minute).map(\.isDuplicate) == [true, true])
  }

  @Test(
    "a duplicate is answered with the earliest id, even if its original proves to be a duplicate")
  func chain() throws {
    var writeBatch = WriteBatch()
    let (a, b, z) = (id(at: 1000, 1), id(at: 1000, 2), id(at: 1000, 3))
    writeBatch.append(NewEntry(id: a, priority: .low), "1")
    writeBatch.append(NewEntry(id: b, priority: .low), "1")
    writeBatch.answer([1: a])
    writeBatch.answer([0: z])
    #expect(
      writeBatch.receipts.map(\.id) == [z, z] && writeBatch.receipts.allSatisfy(\.isDuplicate))
    #expect(writeBatch[.low].lines.isEmpty)
  }

  @Test("a hash depends on the seed, the kind of key and all bytes")
  func hashes() {
    var seen: Set<UInt64> = []
    var texts = (0..<40).map { [UInt8](repeating: 0, count: $0) }
    for byte in 0..<40 {
      var text = [UInt8](repeating: 0, count: 40)
      text[byte] = 1
      texts.append(text)
    }
    for seed in [0, 1, .max] as [UInt64] {
      for text in texts {
        for domain in 0..<5 as Range<UInt64> {
          let hash = text.withUnsafeBytes { KeyHash(seed: seed).hash($0, domain: domain) }
          #expect(seen.insert(hash).inserted)
        }
      }
    }
  }
}
