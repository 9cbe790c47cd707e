/// The ids of an id request: an array of integers from 1 to 10^19 + 7. They stay digits, because
/// Int64 is too small for the limit.
package struct IDList: Sendable {
  package let count: Int

  /// Checks the ids of a validated JSON array. A fault's byte counts from the start of `array`.
  package init(validating array: UnsafeRawBufferPointer) throws(JSONFault) {
    let text = Text(array)
    var i = text.spaceEnd(from: text.spaceEnd(from: 0) &+ 1)
    if text.has(.closeBracket, at: i) { throw text.fault(.emptyIDs, at: i) }
    var count = 1
    while true {
      i = try text.idEnd(from: i)
      if text.has(.closeBracket, at: i) { break }
      i = text.spaceEnd(from: i &+ 1)
      count &+= 1
    }
    self.count = count
  }

  /// Writes a validated JSON array of numbers without its white space.
  package static func appendCompact(_ array: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    let lowest = array.reduce(UInt8.max) { min($0, $1) }
    if lowest > 0x20 { return out.append(contentsOf: array) }
    for byte in array where !byte.isSpace { out.append(byte) }
  }
}

extension Text {
  /// Skips one id and the white space after it.
  @inline(__always)
  fileprivate func idEnd(from start: Int) throws(JSONFault) -> Int {
    let digits = digitsEnd(from: start)
    let next = spaceEnd(from: digits)
    guard digits > start, has(.comma, at: next) || has(.closeBracket, at: next) else {
      throw fault(.idNotDigits, at: start)
    }
    guard isIDInRange(start, digits &- start) else { throw fault(.idOutOfRange, at: start) }
    return next
  }

  /// JSON allows no leading zeros, so the length decides; digits are compared only at the limit's
  /// own length.
  @inline(__always)
  private func isIDInRange(_ start: Int, _ length: Int) -> Bool {
    length < 20 ? self[start] != .zero : length == 20 && isAtMostLimit(start)
  }

  private func isAtMostLimit(_ start: Int) -> Bool {
    let limit: StaticString = "10000000000000000007"
    for k in 0..<20 where self[start &+ k] != limit.utf8Start[k] {
      return self[start &+ k] < limit.utf8Start[k]
    }
    return true
  }
}
