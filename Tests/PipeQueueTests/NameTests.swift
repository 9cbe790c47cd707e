import Testing

@testable import PipeIO
@testable import PipeQueue

private let ulid = "01M7YFR55BHYP5BSPG0DPTADCJ"

@Suite("Names on disk")
struct NameTests {
  @Test(
    "names in now/ are read as they are written",
    arguments: [
      "HIGH.800.17.4711-960.17.5022.done", "LOW.0.1.0-1.1.0.lost", "LOW.0.1.0-1.1.0.dropped",
      "MEDIUM.0.1.0-999999999999999999.2.5.claim.\(ulid).1.3",
      "HIGH.1.1.101-3.1.101.again.\(ulid).12.0.0",
      "HIGH.1.1.101-3.1.101.again.7ZZZZZZZZZZZZZZZZZZZZZZZZZ.0.1795244400123456.600000000",
    ])
  func now(text: String) throws {
    let name = try #require(NowName(text, older: true))
    #expect(name.text.split(separator: ".").count == text.split(separator: ".").count + 1)
    #expect(NowName(name.text) == name)
    #expect(NowName(text) == nil, "a name needs its checksum")
  }

  @Test("a name with one changed, missing or doubled character is invalid")
  func changed() throws {
    let again = NowName(items(1, 3), .again(batch: token, attempt: 12, due: .now))
    let aside = SideName(range: items(199, 200))
    let mark = ParkedHint(due: 5, set: 4, items: 3)
    let end = LaneEnd(lane: .low, position: place(9), entries: 3, time: 4, seal: 0x0123_4567)
    for text in [NowName.done(0, 12).text, again.text, aside.text, mark.text, end.text] {
      for other in variants(text) {
        #expect(NowName(other) == nil && LaneEnd(other) == nil, "\(other)")
        other.withBytes {
          #expect(ParkedHint($0) == nil && SideName.parse($0, .dead, .high) == nil, "\(other)")
          #expect(SideName.parse($0, .later, .high) == nil, "\(other)")
        }
      }
    }
    // The checksum of a dead letter covers its lane, which is not in its name.
    aside.text.withBytes { #expect(SideName.parse($0, .dead, .low) == nil) }
  }

  @Test("the early name is read as it is written; a damaged one stands for every number")
  func early() {
    let limits = PerLane<Int> { [7, 0, 999_999_999_999_999_999][$0.order] }
    let text = EarlyHint(limits: limits).text
    #expect(text.hasPrefix("early.7.0.999999999999999999."))
    #expect(text.withBytes { EarlyHint($0) } == EarlyHint(limits: limits))
    for other in variants(text) where other.hasPrefix("early.") {
      #expect(other.withBytes { EarlyHint($0) } == .unknown, "\(other)")
    }
    for other in ["early", "earl", "", "earlier.7.0.1", "spare.1", NowName.done(0, 12).text] {
      #expect(other.withBytes { EarlyHint($0) } == nil, "\(other)")
    }
  }

  @Test("early names are joined to the higher number of each lane")
  func joinedEarly() {
    func hint(_ limits: Int...) -> EarlyHint { EarlyHint(limits: PerLane { limits[$0.order] }) }
    #expect(hint(1, 5, 0).joined(hint(2, 4, 0)) == hint(2, 5, 0))
    #expect(hint(1, 5, 0).joined(nil) == hint(1, 5, 0))
    #expect(hint(1, 5, 0).joined(.unknown) == .unknown)
  }

  @Test("the name of an early dead letter, dropped or not, is read as it is written")
  func earlyLetter() throws {
    for isDropped in [false, true] {
      let name = SideName(range: items(7, 8), waiting: nil, isDropped: isDropped, isEarly: true)
      let text = name.text
      #expect(text.contains(".early") && text.contains(".dropped") == isDropped, "\(text)")
      let found = try #require(text.withBytes { SideName.parse($0, .dead, name.range.lane) })
      #expect(found.range == name.range && found.isEarly && found.isDropped == isDropped)
      for other in variants(text) {
        #expect(other.withBytes { SideName.parse($0, .dead, name.range.lane) } == nil, "\(other)")
      }
    }
  }

  // Each character replaced by others, removed, and doubled.
  private func variants(_ text: String) -> [String] {
    text.indices.flatMap { at in
      let (before, behind) = (text[..<at], text[text.index(after: at)...])
      return ["0", "9", "a", "", "\(text[at])\(text[at])"].map { String(before) + $0 + behind }
    }.filter { $0 != text }
  }

  @Test(
    "names in now/ of any other form are ignored",
    arguments: [
      "", "spare.0", "HIGH", "HIGH.0.1.0-1.1.9", "HIGH.0.1.0-1.1.9.", "HIGH.0.1.0-1.1.9.done.",
      "HIGH.0.1.0-1.1.9.done.1", "HIGH.0.1.0-1.1.9.dead", "high.0.1.0-1.1.9.done",
      "URGENT.0.1.0-1.1.9.done", "HIGH.00.1.0-1.1.9.done", "HIGH.0.01.0-1.1.9.done",
      "HIGH.0.1.0-1.1.09.done", "HIGH.+0.1.0-1.1.9.done", "HIGH.-1.1.0-1.1.9.done",
      "HIGH.0.1.0-1.1.done", "HIGH.0.1-1.1.9.done", "HIGH.0.1.0.1.1.9.done",
      "HIGH.5.1.0-4.1.9.done", "HIGH.5.1.0-5.1.0.done", "HIGH.0.1.0-1000000000000000000.1.9.done",
      "HIGH.0.1.0-1.1.9.claim", "HIGH.0.1.0-1.1.9.claim.\(ulid).1",
      "HIGH.0.1.0-1.1.9.claim.\(ulid).01.3", "HIGH.0.1.0-1.1.9.claim.\(ulid).1.3.4",
      "HIGH.0.1.0-1.1.9.claim.\(ulid.lowercased()).1.3",
      "HIGH.0.1.0-1.1.9.claim.8\(ulid.dropFirst()).1.3",
      "HIGH.0.1.0-1.1.9.claim.\(ulid)X.1.3", "HIGH.0.1.0-1.1.9.again.\(ulid).1.-1",
      "HIGH.0.1.0-1.1.9.done\n", " HIGH.0.1.0-1.1.9.done", "HIGH.0.1.0-1.1.9.done~",
      "HIGH.0 .1.0-1.1.9.done", "HIGH.\u{0660}.1.0-1.1.9.done",
    ])
  func foreign(text: String) {
    #expect(NowName(text, older: true) == nil)
  }

  @Test("names in end/ are read as they are written, and no others are read")
  func end() throws {
    for text in ["HIGH.0.0.1.0.0", "LOW.960.12.17.5022.1795244400123456"] {
      var mark = try #require(LaneEnd(text, older: true))
      mark.seal = 0x0123_4567
      #expect(mark.text.hasPrefix(text + ".01234567."))
      #expect(LaneEnd(mark.text) == mark)
      #expect(LaneEnd(text) == nil, "a name needs its checksum")
    }
    let foreign = [
      "", "HIGH", "HIGH.0.0.1.0", "HIGH.0.0.1.0.0.0", "HIGH.0.0.01.0.0", "high.0.0.1.0.0",
      "HIGH.0.0.1.-1.0", "HIGH.0.0.1.0.0.", "HIGH.0.0.1.0.x",
    ]
    for text in foreign { #expect(LaneEnd(text, older: true) == nil, "\(text)") }
  }
}

@Suite("Lane ends")
struct EndTests {
  private let scratch: ScratchQueue
  private var directory: Directory { scratch.queue.end }

  init() throws { scratch = try ScratchQueue() }

  private func add(_ number: Int, segment: Int, offset: Int) throws {
    let mark = LaneEnd(
      lane: .high, position: Position(number: number, segment: segment, offset: offset), entries: 1,
      time: 4, seal: scratch.queue.seal)
    _ = try Descriptor.open(mark.text, in: directory, 0o101)
  }

  @Test("the further lane end counts if a listing shows both names")
  func bothNames() throws {
    try add(7, segment: 1, offset: 900)
    try add(5, segment: 1, offset: 1000)
    #expect(try scratch.queue.ends()[.high].position.number == 5, "by segment and byte")
    try add(5, segment: 2, offset: 0)
    for name in ["HIGH.x", "notes"] { _ = try Descriptor.open(name, in: directory, 0o101) }
    let ends = try scratch.queue.ends()
    #expect(ends[.high].position.segment == 2)
    #expect(ends[.low].position == .origin)
  }

  @Test(
    "a missing lane end is read from the segments, and replaced by the next process that stores")
  func missing() throws {
    try scratch.store([id(at: 5_000), id(at: 6_000)])
    let mark = try scratch.queue.ends()[.medium]
    try directory.remove(mark.text)
    #expect(try scratch.queue.ends()[.medium] == mark)
    try scratch.store([id(at: 7_000)], "1", .low)
    #expect(try directory.names().contains(mark.text))
  }
}
