/// A ULID: 48 bits of milliseconds since the Unix epoch, then 80 bits that grow within a
/// millisecond. As text, 26 upper-case digits of Crockford's base 32 (github.com/ulid/spec).
struct ULID: Hashable, Comparable {
  let high: UInt64
  let low: UInt64

  static let length = 26
  var milliseconds: Int64 { Int64(high >> 16) }

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Parses exactly 26 upper-case digits; nil for anything else.
  init?(_ text: UnsafeRawBufferPointer) {
    guard text.count == ULID.length, text[0] <= 0x37 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    var wrong: UInt8 = 0
    // 26 digits are 130 bits; the two above 128 are zero because the first digit is at most 7.
    for byte in text {
      let digit = ULID.digit(byte)
      wrong |= digit
      high = high << 5 | low >> 59
      low = low << 5 | UInt64(digit & 31)
    }
    guard wrong < 32 else { return nil }
    self.init(high: high, low: low)
  }

  init?(_ text: String) {
    var copy = text
    guard let id = copy.withUTF8({ ULID(UnsafeRawBufferPointer($0)) }) else { return nil }
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
  func write(to target: UnsafeMutablePointer<UInt8>) {
    let digits = ULID.alphabet.utf8Start
    var high = high
    var low = low
    var index = ULID.length
    while index > 0 {
      index &-= 1
      target[index] = digits[Int(low & 31)]
      low = low >> 5 | high << 59
      high >>= 5
    }
  }

  func append(to out: inout [UInt8]) {
    let start = out.count
    out.append(
      contentsOf: UnsafeBufferPointer(start: ULID.alphabet.utf8Start, count: ULID.length))
    out.withUnsafeMutableBufferPointer { write(to: $0.baseAddress! + start) }
  }

  var text: String {
    String(unsafeUninitializedCapacity: ULID.length) {
      write(to: $0.baseAddress!)
      return ULID.length
    }
  }

  static func < (one: ULID, other: ULID) -> Bool {
    one.high != other.high ? one.high < other.high : one.low < other.low
  }

  var next: ULID {
    ULID(high: low == .max ? high &+ 1 : high, low: low &+ 1)
  }
}
