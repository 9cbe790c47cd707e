import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

@Suite("Lookup of ids")
struct LookupTests {
  private let scratch: ScratchQueue
  private let now = Clock.now()

  init() throws { scratch = try ScratchQueue() }

  private func found(_ id: EntryID) throws -> Lookup.Found? {
    try Lookup(scratch.queue).find(id, try scratch.queue.ends())
  }

  // Each is larger than half a segment.
  private static let large = "\"" + String(repeating: "x", count: 5 << 20) + "\""

  @Test("an id is found over several segments and lanes by the time in it")
  func segments() throws {
    var mint = ULIDGenerator()
    var ids: [(Lane, EntryID)] = []
    for number in 0..<8 {
      let lane: Lane = number % 4 == 3 ? .low : .medium
      for data in [Self.large, "1"] {
        let id = mint.id(at: Clock.now())
        try scratch.store([id], data, lane)
        ids.append((lane, id))
      }
    }
    let ends = try scratch.queue.ends()
    #expect(ends[.medium].position.segment == 4 && ends[.low].position.segment == 2)
    for (lane, id) in ids {
      let found = try #require(try found(id))
      #expect(found.lane == lane)
      guard case .line(let line) = try found.reader.line(at: found.offset, limit: .max) else {
        Issue.record("no line at \(found.offset)")
        continue
      }
      #expect(line.id == id)
    }
    #expect(try found(ids[4].1.next) == nil)
    #expect(try found(mint.id(at: Clock.now())) == nil)
  }

  @Test("every line with an id is found, also two of one lane, and the last of them")
  func copies() throws {
    let id = id(at: Clock.now(), 1)
    try scratch.store([id])
    let first = try #require(try found(id))
    for lane in [Lane.high, .medium, .high] {
      var draft = WriteBatch()
      draft.append(NewEntry(id: id, priority: lane), "1")
      try Appender(scratch.queue, isMoving: true).commit(&draft)
    }
    let lookup = Lookup(scratch.queue)
    let ends = try scratch.queue.ends()
    #expect(try lookup.findAll(id, ends).count == 4)
    let last = try #require(try lookup.findAgain(id, ends, after: first))
    #expect(last.lane == .high && last.offset > 0)
    #expect(try lookup.findAgain(id, ends, after: last) == nil)
  }

  @Test("an id generated long before or ahead, or out of order, is found among the strays")
  func strays() throws {
    let day = TimeSpan.days(1)
    let usual = (0..<200).map { id(at: now, UInt64($0)) }
    try scratch.store(usual)
    let distances: [TimeSpan] = [
      -1 * day, -400 * day, day, .seconds(-2), -1 * day + 5, 30 * 365 * day,
    ]
    let strays = distances.map {
      id(at: now + $0)
    }
    try scratch.store(strays)
    let shuffled = (200..<400).map { id(at: now, UInt64($0 * 37 % 200 + 200)) }
    try scratch.store(shuffled)
    for id in usual + strays + shuffled { #expect(try found(id) != nil, "\(id.text)") }
    #expect(try found(id(at: now - day, 1)) == nil)
    #expect(try found(id(at: now - day / 2)) == nil)
    #expect(try found(id(at: 0)) == nil)
    let again = try scratch.store(strays + [usual[7], shuffled[9]])
    #expect(
      again.filter(\.isDuplicate).count == again.count, "and is a duplicate when it comes again")
  }

  @Test("an id is found even if a crash tore a record of strays")
  func tornNote() throws {
    let old = id(at: now - TimeSpan.days(1))
    try scratch.store([old])
    let name = OutOfOrderRun.fileName(old)
    let strays = try scratch.queue.root.existing("strays")
    let file = try #require(try Descriptor.open(name, in: strays, 0o2))
    let torn: [UInt8] = Array("\n0123abcd 01M7YFR55B".utf8)
    try torn.write(to: file, at: try file.size())
    try scratch.store([old.next.next])
    #expect(try found(old) != nil)
    #expect(try found(old.next) == nil)
    #expect(try found(old.next.next) != nil)
  }
}
