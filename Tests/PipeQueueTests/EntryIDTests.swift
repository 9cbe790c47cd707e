import Testing

@testable import PipeQueue
import PipeTime

@Suite("Entry ids")
struct EntryIDTests {
  @Test("an id is the ULID of the specification")
  func vector() {
    let id = EntryID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    #expect(id?.time == 1_469_922_850_259_000)
    #expect(id?.text == "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    let last = EntryID("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
    #expect(last?.ulid.high == .max && last?.ulid.low == .max)
    #expect(EntryID(ULID(high: 0, low: 0)).text == "00000000000000000000000000")
  }

  @Test("an id survives being written, whatever its bits")
  func roundTrip() {
    for _ in 0..<1000 {
      let id = EntryID(ULID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)))
      #expect(EntryID(id.text) == id)
    }
  }

  @Test("ids sort as their text does")
  func order() {
    for _ in 0..<1000 {
      let (one, other) = (
        EntryID(ULID(high: .random(in: 0...3), low: .random(in: 0 ... .max))),
        EntryID(ULID(high: .random(in: 0...3), low: .random(in: 0 ... .max)))
      )
      #expect((one < other) == (one.text < other.text))
    }
  }

  @Test(
    "other text is not an id",
    arguments: [
      "", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVV", "01arz3ndektsv4rrffq69g5fav",
      "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAI", "01ARZ3NDEKTSV4RRFFQ69G5FAL",
      "01ARZ3NDEKTSV4RRFFQ69G5FAO", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "01ARZ3NDEKTSV4RRFFQ69G5FA-",
      "01ARZ3NDEKTSV4RRFFQ69G5F\u{e9}", "01ARZ3NDEKTSV4RRFFQ69G5FA\0",
    ])
  func foreign(text: String) {
    #expect(EntryID(text) == nil)
  }

  @Test("a text with one byte that is not a digit is not an id")
  func digitsOnly() {
    let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    for place in 0..<26 {
      for byte in UInt8.min ... .max {
        var text = [UInt8](repeating: 0x30, count: 26)
        text[place] = byte
        let isID = digits.contains(byte) && (place > 0 || byte <= 0x37)
        #expect((text.withUnsafeBytes { EntryID($0) } != nil) == isID, "\(byte) at \(place)")
      }
    }
  }
}

@Suite("The generator of ids")
struct MintTests {
  @Test("generated ids only grow, even if the clock stops or steps back")
  func grows() {
    var mint = ULIDGenerator()
    let times: [Instant] = [
      5_000_000, 5_000_000, 5_000_999, 5_001_000, 4_000_000, 0, -7, 5_001_000, 6_000_000,
    ]
    let ids = times.map { mint.id(at: $0) }
    #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }, "\(ids.map(\.text))")
    #expect(
      ids.map(\.time.microseconds)
        == [5000, 5000, 5000, 5001, 5001, 5001, 5001, 5001, 6000].map { $0 * 1000 })
  }

  @Test("generators begin anywhere, so that two processes do not collide")
  func differs() {
    var (one, other) = (ULIDGenerator(), ULIDGenerator())
    #expect(one.id(at: 5_000_000) != other.id(at: 5_000_000))
  }

  @Test("the next id carries into the higher digits when the lower ones are used up")
  func carries() {
    #expect(ULID(high: 1, low: .max).next == ULID(high: 2, low: 0))
  }
}
