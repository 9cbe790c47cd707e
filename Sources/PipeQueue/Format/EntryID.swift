internal import CPipeIO

/// The id of an entry, a ULID (github.com/ulid/spec): 26 upper-case digits as text.
package struct EntryID: Hashable, Comparable {
  let ulid: ULID

  /// Bytes of its text.
  static let length = ULID.length
  /// When it was made, since the epoch.
  var milliseconds: Int64 { ulid.milliseconds }

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
  func write(to target: UnsafeMutablePointer<UInt8>) { ulid.write(to: target) }

  /// Appends its text, 26 bytes.
  package func append(to out: inout [UInt8]) { ulid.append(to: &out) }

  package var text: String { ulid.text }

  package static func < (one: EntryID, other: EntryID) -> Bool { one.ulid < other.ulid }

  /// An id that no entry has.
  static let none = EntryID(ULID(high: 0, low: 0))
}

/// Generates ids that only increase within one process, even if the clock steps back.
package struct ULIDGenerator {
  private var last = ULID(high: 0, low: 0)
  private var pool: [UInt64] = []

  package init() {}

  /// `now`: microseconds since the epoch.
  package mutating func id(at now: Int64) -> EntryID {
    let milliseconds = UInt64(max(0, now) / 1000)
    last =
      milliseconds > last.high >> 16
      ? ULID(high: milliseconds << 16 | random() >> 48, low: random()) : last.next
    return EntryID(last)
  }

  private mutating func random() -> UInt64 {
    if pool.isEmpty {
      pool = [UInt64](repeating: 0, count: 8)
      _ = pool.withUnsafeMutableBytes { getrandom($0.baseAddress, $0.count, 0) }
    }
    return pool.removeLast()
  }
}
