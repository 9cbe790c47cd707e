internal import CPipeIO

/// A ULID: 48 bits of milliseconds since the Unix epoch, then 80 bits that grow within a
/// millisecond. As text, 26 upper-case digits of Crockford's base 32 (github.com/ulid/spec).
package struct EntryID: Hashable, Comparable {
  let high: UInt64
  let low: UInt64

  package static let length = 26
  package var milliseconds: Int64 { Int64(high >> 16) }

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Parses exactly 26 upper-case digits; nil for anything else.
  package init?(_ text: UnsafeRawBufferPointer) {
    guard text.count == EntryID.length, text[0] <= 0x37 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    var wrong: UInt8 = 0
    // 26 digits are 130 bits; the two above 128 are zero because the first digit is at most 7.
    for byte in text {
      let digit = EntryID.digit(byte)
      wrong |= digit
      high = high << 5 | low >> 59
      low = low << 5 | UInt64(digit & 31)
    }
    guard wrong < 32 else { return nil }
    self.init(high: high, low: low)
  }

  package init?(_ text: String) {
    var copy = text
    guard let id = copy.withUTF8({ EntryID(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = id
  }

  // The alphabet lacks I, L, O and U.
  @inline(__always)
  private static func digit(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 0x30...0x39: byte &- 0x30
    case 0x41...0x48: byte &- 0x41 &+ 10
    case 0x4a, 0x4b: byte &- 0x4a &+ 18
    case 0x4d, 0x4e: byte &- 0x4d &+ 20
    case 0x50...0x54: byte &- 0x50 &+ 22
    case 0x56...0x5a: byte &- 0x56 &+ 27
    default: 0xff
    }
  }

  private static let alphabet: StaticString = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

  @inline(__always)
  package func write(to target: UnsafeMutablePointer<UInt8>) {
    let digits = EntryID.alphabet.utf8Start
    var high = high
    var low = low
    var index = EntryID.length
    while index > 0 {
      index &-= 1
      target[index] = digits[Int(low & 31)]
      low = low >> 5 | high << 59
      high >>= 5
    }
  }

  package var text: String {
    String(unsafeUninitializedCapacity: EntryID.length) {
      write(to: $0.baseAddress!)
      return EntryID.length
    }
  }

  package static func < (one: EntryID, other: EntryID) -> Bool {
    one.high != other.high ? one.high < other.high : one.low < other.low
  }

  /// Batch id in the names of entries with a requested delay.
  static let delayed = EntryID(high: 0, low: 0)
  /// Batch id in the names of items that were made ready again, such as revived dead letters.
  static let revived = EntryID(high: 0, low: 1)

  var next: EntryID {
    EntryID(high: low == .max ? high &+ 1 : high, low: low &+ 1)
  }
}

/// Generates ids that only increase within one process, even if the clock steps back.
package struct ULIDGenerator {
  private var last = EntryID(high: 0, low: 0)
  private var pool: [UInt64] = []

  package init() {}

  /// `now`: microseconds since the epoch.
  package mutating func id(at now: Int64) -> EntryID {
    let milliseconds = UInt64(max(0, now) / 1000)
    last =
      milliseconds > last.high >> 16
      ? EntryID(high: milliseconds << 16 | random() >> 48, low: random()) : last.next
    return last
  }

  private mutating func random() -> UInt64 {
    if pool.isEmpty {
      pool = [UInt64](repeating: 0, count: 8)
      _ = pool.withUnsafeMutableBytes { getrandom($0.baseAddress, $0.count, 0) }
    }
    return pool.removeLast()
  }
}
