internal import CPipeIO
package import PipeTime

/// The id of an entry, a ULID (github.com/ulid/spec): 26 upper-case digits as text.
package struct EntryID: Hashable, Comparable {
  let ulid: ULID

  /// Bytes of its text.
  static let length = ULID.length
  /// When it was made, to the millisecond.
  var time: Instant { ulid.time }

  init(_ ulid: ULID) { self.ulid = ulid }

  /// Parses exactly 26 upper-case digits; nil for anything else.
  package init?(_ text: UnsafeRawBufferPointer) {
    guard let ulid = ULID(text) else { return nil }
    self.ulid = ulid
  }

  package init?(_ text: String) {
    guard let ulid = ULID(text) else { return nil }
    self.ulid = ulid
  }

  /// Writes its text, `length` bytes.
  @inline(__always)
  package func write(to target: UnsafeMutablePointer<UInt8>) { ulid.write(to: target) }

  /// Appends its text, 26 bytes.
  package func append(to out: inout [UInt8]) { ulid.append(to: &out) }

  package var text: String { ulid.text }

  package static func < (one: EntryID, other: EntryID) -> Bool { one.ulid < other.ulid }

  /// An id that no entry has.
  package static let none = EntryID(ULID(high: 0, low: 0))
}

/// Generates ids that only increase within one process, even if the clock steps back.
package struct ULIDGenerator {
  private var last = ULID(high: 0, low: 0)
  private var pool = SIMD8<UInt64>()
  private var left = 0

  package init() {}

  package mutating func id(at now: Instant) -> EntryID {
    let milliseconds = UInt64(max(0, now.microseconds) / 1000)
    last =
      milliseconds > last.high >> 16
      ? ULID(high: milliseconds << 16 | random() >> 48, low: random()) : last.next
    return EntryID(last)
  }

  private mutating func random() -> UInt64 {
    if left == 0 {
      _ = withUnsafeMutableBytes(of: &pool) { getrandom($0.baseAddress, $0.count, 0) }
      left = pool.scalarCount
    }
    left -= 1
    return pool[left]
  }
}

/// A ULID: 48 bits of milliseconds since the Unix epoch, then 80 bits that grow within a
/// millisecond. As text, 26 upper-case digits of Crockford's base 32 (github.com/ulid/spec).
struct ULID: Hashable, Comparable {
  let high: UInt64
  let low: UInt64

  static let length = 26
  /// When it was made, to the millisecond.
  var time: Instant { Instant(microseconds: Int64(high >> 16) * 1000) }

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Parses exactly 26 upper-case digits; nil for anything else.
  init?(_ text: UnsafeRawBufferPointer) {
    guard text.count == ULID.length else { return nil }
    var number = cpipe_base32_number()
    guard cpipe_base32(text.baseAddress, &number) == 0 else { return nil }
    self.init(high: number.high, low: number.low)
  }

  init?(_ text: String) {
    var copy = text
    guard let id = copy.withUTF8({ ULID(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = id
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
