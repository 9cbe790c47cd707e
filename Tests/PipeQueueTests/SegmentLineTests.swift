import Testing

@testable import PipeQueue
import PipeTime

@Suite("Segment lines")
struct SegmentLineTests {
  private static let id = EntryID("01M7YFR55BHYP5BSPG0DPTADCJ")!

  /// The second line of a draft of two, sealed for this place: its text and its offset.
  private func sealed(_ entry: NewEntry, _ data: String) -> (text: [UInt8], offset: Int) {
    var writeBatch = WriteBatch()
    writeBatch.append(NewEntry(id: Self.id, priority: entry.priority), "0")
    writeBatch.append(entry, data)
    writeBatch.seal(
      entry.priority, at: Position(number: 40, segment: 3, offset: 500), time: 1_795_244_400_123_456
    )
    let start = writeBatch[entry.priority].lines[1].start
    return (Array(writeBatch[entry.priority].text[start...].dropLast()), 500 + start)
  }

  @Test("a segment line has the columns of pipe-queue(5)")
  func columns() {
    let record = NewEntry(id: Self.id, priority: .low)
    let text = String(decoding: sealed(record, #"{"a": 1.0}"#).text, as: UTF8.self)
    #expect(
      text.dropFirst(8)
        == #" 1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 1 - - {"a": 1.0}"#)
    var request = NewEntry(id: Self.id, priority: .high, ids: (5, 3), created: 7)
    request.options = Array(#"{"key":"k"}"#.utf8)
    let other = String(decoding: sealed(request, "[1,2,3,4,5]").text, as: UTF8.self)
    #expect(
      other.split(separator: " ").dropFirst(4) == ["5/3", "7", #"{"key":"k"}"#, "[1,2,3,4,5]"])
  }

  @Test("a segment line knows when it was accepted, even if its time is ahead of the clock")
  func accepted() throws {
    let time: Instant = 1_795_244_400_123_456
    var writeBatch = WriteBatch()
    let minted = EntryID(ULID(high: UInt64(time.microseconds / 1000 - 3_600_000) << 16, low: 1))
    writeBatch.append(NewEntry(id: minted, priority: .low), "0")
    writeBatch.append(NewEntry(id: minted, priority: .low, created: 7), "1")
    func accepted(_ index: Int, at now: Instant) -> Instant {
      writeBatch.seal(.low, at: Position(number: 0, segment: 1, offset: 0), time: time)
      return writeBatch.withLine(.low, index) { $0.accepted(at: now) }
    }
    #expect(accepted(0, at: time) == time)
    let before = time - .microseconds(1)
    #expect(accepted(0, at: before) == minted.time)
    #expect(accepted(1, at: before) == 7)
    let earlier = time - .microseconds(5)
    writeBatch.note(accepted: earlier)
    #expect(accepted(0, at: before) == earlier && accepted(1, at: .distantFuture) == earlier)
    writeBatch.withLine(.low, 1) { line in
      #expect(line.data.elementsEqual("1".utf8) && line.created == 7)
    }
  }

  @Test("a segment line is read as it was written")
  func reading() throws {
    var request = NewEntry(id: Self.id, priority: .high, ids: (5, 3), created: 7)
    request.options = Array(#"{"key":"k"}"#.utf8)
    let text = sealed(request, "[1,2,3,4,5]").text
    try text.withUnsafeBytes { bytes in
      let line = try #require(SegmentLine(bytes))
      #expect(line.time == 1_795_244_400_123_456 && line.number == 41 && line.id == Self.id)
      #expect(line.items == 5 && line.slice == 3 && !line.isRecord && line.created == 7)
      #expect(line.options?.elementsEqual(#"{"key":"k"}"#.utf8) == true)
      #expect(line.data.elementsEqual("[1,2,3,4,5]".utf8) && line.length == text.count + 1)
    }
  }

  @Test("a segment line is intact at its own place and at no other")
  func place() {
    let (text, offset) = sealed(NewEntry(id: Self.id, priority: .medium), "1")
    text.withUnsafeBytes { bytes in
      #expect(SegmentLine.isIntact(bytes, .medium, 3, offset))
      #expect(!SegmentLine.isIntact(bytes, .medium, 3, offset + 1))
      #expect(!SegmentLine.isIntact(bytes, .medium, 4, offset))
      #expect(!SegmentLine.isIntact(bytes, .high, 3, offset))
    }
  }

  @Test("a segment line with any flipped bit is not intact")
  func bits() {
    let (text, offset) = sealed(NewEntry(id: Self.id, priority: .medium), #"{"a":1}"#)
    for bit in 0..<text.count * 8 {
      var broken = text
      broken[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(
        !broken.withUnsafeBytes { SegmentLine.isIntact($0, .medium, 3, offset) }, "bit \(bit)")
    }
  }

  @Test("a segment line that is cut or extended is not intact")
  func lengths() {
    let (text, offset) = sealed(NewEntry(id: Self.id, priority: .medium), "12345")
    for count in 0..<text.count {
      #expect(!text[..<count].withUnsafeBytes { SegmentLine.isIntact($0, .medium, 3, offset) })
    }
    #expect(!(text + [0x30]).withUnsafeBytes { SegmentLine.isIntact($0, .medium, 3, offset) })
  }

  @Test(
    "a segment line with a malformed column is invalid",
    arguments: [
      "", "00000000", "00000000 1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 1 - - ",
      "00000000 1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 1 - -",
      "00000000 1795244400123456 000000000000041 01m7yfr55bhyp5bspg0dptadcj 1 - - 5",
      "00000000 179524440012345x 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 1 - - 5",
      "00000000 1795244400123456  00000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 1 - - 5",
      "00000000 1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 0 - - 5",
      "00000000 1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 2 - - 5",
      "00000000 1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 2/0 - - 5",
      "00000000 1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 2/ - - 5",
      "00000000 1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 1 x - 5",
      "00000000-1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 1 - - 5",
      "00000000 1795244400123456 000000000000041 01M7YFR55BHYP5BSPG0DPTADCJ 9999999999999999999/3 - - 5",
    ])
  func malformed(text: String) {
    var copy = text
    #expect(copy.withUTF8 { SegmentLine(UnsafeRawBufferPointer($0)) == nil })
  }
}
