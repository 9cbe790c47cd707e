// Decimal numbers as they stand in names and columns: no sign, no leading zero unless the width is fixed.

/// Reads a number in digits only, below 10^18; nil for anything else, also for a leading zero.
func decimal(_ text: UnsafeRawBufferPointer) -> Int? {
  guard !text.isEmpty, text.count <= 18, text[0] != 0x30 || text.count == 1 else { return nil }
  return padded(text)
}

/// The same, of a column of fixed width that zeros fill.
@inline(__always)
func padded(_ text: UnsafeRawBufferPointer) -> Int? {
  var value = 0
  for byte in text {
    let digit = byte &- 0x30
    guard digit < 10 else { return nil }
    value = value &* 10 &+ Int(digit)
  }
  return value
}

@inline(__always)
func write(_ value: Int, width: Int, to target: UnsafeMutablePointer<UInt8>) {
  var rest = value
  var index = width
  while index > 0 {
    index &-= 1
    target[index] = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
    rest /= 10
  }
}

func appendDecimal(_ value: Int, to out: inout [UInt8]) {
  var width = 1
  var rest = value / 10
  while rest > 0 {
    width += 1
    rest /= 10
  }
  let start = out.count
  out.append(contentsOf: repeatElement(0, count: width))
  out.withUnsafeMutableBufferPointer { write(value, width: width, to: $0.baseAddress! + start) }
}

@inline(__always)
func writeHex(_ value: UInt32, to target: UnsafeMutablePointer<UInt8>) {
  var rest = value
  var index = 8
  while index > 0 {
    index &-= 1
    let digit = UInt8(truncatingIfNeeded: rest & 15)
    target[index] = digit < 10 ? digit &+ 0x30 : digit &+ 0x57
    rest >>= 4
  }
}

@inline(__always)
func hex(_ text: UnsafeRawBufferPointer) -> UInt32? {
  var value: UInt32 = 0
  for byte in text {
    switch byte {
    case 0x30...0x39: value = value << 4 | UInt32(byte &- 0x30)
    case 0x61...0x66: value = value << 4 | UInt32(byte &- 0x57)
    default: return nil
    }
  }
  return value
}

/// The pieces of `text` between separators, without copying.
struct Pieces {
  private var rest: UnsafeRawBufferPointer?

  init(_ text: UnsafeRawBufferPointer) { rest = text }

  /// Up to the next `separator` or the end; nil when all was given.
  mutating func next(before separator: UInt8) -> UnsafeRawBufferPointer? {
    guard let text = rest else { return nil }
    guard let end = text.firstIndex(of: separator) else {
      rest = nil
      return text
    }
    rest = UnsafeRawBufferPointer(rebasing: text[(end + 1)...])
    return UnsafeRawBufferPointer(rebasing: text[..<end])
  }

  mutating func number(before separator: UInt8) -> Int? { next(before: separator).flatMap(decimal) }

  var isAtEnd: Bool { rest == nil }

  /// All that was not yet given.
  var remainder: UnsafeRawBufferPointer? { rest }
}

let dot: UInt8 = 0x2e
let dash: UInt8 = 0x2d
let space: UInt8 = 0x20
let newline: UInt8 = 0x0a
