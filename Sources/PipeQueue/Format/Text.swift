internal import PipeIO

// The text of names and columns. Decimal numbers have no sign, and no leading zero unless their
// width is fixed.

/// Parses a number below 10^18 of digits only; nil for anything else, including a leading zero.
func decimal(_ text: UnsafeRawBufferPointer) -> Int? {
  guard !text.isEmpty, text.count <= 18, text[0] != 0x30 || text.count == 1 else { return nil }
  return padded(text)
}

/// Parses a column of fixed width that is padded with zeros.
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
func write<Number: BinaryInteger & FixedWidthInteger>(
  _ value: Number, width: Int, to target: UnsafeMutablePointer<UInt8>
) {
  var rest = value
  var index = width
  while index > 0 {
    index &-= 1
    target[index] = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
    rest /= 10
  }
}

func decimalWidth(_ value: UInt) -> Int {
  var width = 1
  var rest = value / 10
  while rest > 0 {
    width += 1
    rest /= 10
  }
  return width
}

func appendDecimal(_ value: Int, to out: inout [UInt8]) {
  let width = decimalWidth(UInt(value))
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

/// Splits `text` at separators, without copying.
struct FieldSplitter {
  private var start: UnsafeRawPointer
  /// nil after the last field was returned.
  private var end: UnsafeRawPointer?

  init(_ text: UnsafeRawBufferPointer) {
    // An empty buffer may have no address; any address serves for an empty field.
    start = text.baseAddress ?? FieldSplitter.nowhere
    end = start + text.count
  }

  private static var nowhere: UnsafeRawPointer { UnsafeRawPointer(bitPattern: 1)! }

  /// The text up to the next `separator` or the end; nil after the last field.
  @inline(__always)
  mutating func next(before separator: UInt8) -> UnsafeRawBufferPointer? {
    guard let end else { return nil }
    let first = start
    var at = first
    while at < end, at.load(as: UInt8.self) != separator { at += 1 }
    if at < end { start = at + 1 } else { self.end = nil }
    return UnsafeRawBufferPointer(start: first, count: at - first)
  }

  mutating func number(before separator: UInt8) -> Int? { next(before: separator).flatMap(decimal) }

  var isAtEnd: Bool { end == nil }

  /// The text not yet returned; nil after the last field.
  var remainder: UnsafeRawBufferPointer? {
    end.map { UnsafeRawBufferPointer(start: start, count: $0 - start) }
  }
}

let dot: UInt8 = 0x2e
let dash: UInt8 = 0x2d
let slash: UInt8 = 0x2f
let space: UInt8 = 0x20
let newline: UInt8 = 0x0a

@inline(__always)
func cut(_ bytes: UnsafeRawBufferPointer, _ from: Int, _ to: Int) -> UnsafeRawBufferPointer {
  UnsafeRawBufferPointer(start: bytes.baseAddress! + from, count: to - from)
}

/// A name in now/ that is about no range of items: a word, numbers and a checksum, as in
/// `later.DUE.SET.ITEMS.SUM`.
enum KeywordName {
  static func text(_ word: StaticString, _ numbers: Int...) -> String {
    String(name: {
      $0.append(word)
      for number in numbers { $0.append(fields: number) }
      $0.appendChecksum()
      $0.fillChecksum()
    })
  }

  /// What follows the word and its dot; nil if the name begins otherwise. `NameChecksum.ends` checks the
  /// rest after the numbers.
  static func fields(of text: UnsafeRawBufferPointer, _ word: StaticString) -> FieldSplitter? {
    let length = word.utf8CodeUnitCount
    let known = UnsafeRawBufferPointer(start: word.utf8Start, count: length)
    guard text.count > length, cut(text, 0, length).elementsEqual(known), text[length] == dot else {
      return nil
    }
    return FieldSplitter(cut(text, length + 1, text.count))
  }
}

extension Array {
  /// Index of the first element for which `isBefore` is false. The elements are partitioned: all
  /// that pass come first.
  func partitionPoint(_ isBefore: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
