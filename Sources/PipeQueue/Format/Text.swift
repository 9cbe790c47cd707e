internal import Glibc
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
  var at = 0
  while at &+ 8 <= text.count {
    let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    guard let eight = eightDigits(word) else { return nil }
    value = value &* 100_000_000 &+ eight
    at &+= 8
  }
  while at < text.count {
    let digit = text[at] &- 0x30
    guard digit < 10 else { return nil }
    value = value &* 10 &+ Int(digit)
    at &+= 1
  }
  return value
}

/// Text of eight digits, the first in the lowest byte. `value` has at most eight. Quotients of the lanes: by 100, then by
/// 10, each as a product with the inverse.
@inline(__always)
private func eightDigits(of value: UInt64) -> UInt64 {
  let upper = value / 10_000
  let fours = upper | (value &- upper &* 10_000) << 32
  let hundreds = (fours &* 5243) >> 19 & 0x7f_0000_007f
  let pairs = hundreds | (fours &- hundreds &* 100) << 16
  let tens = (pairs &* 103) >> 10 & 0x000f_000f_000f_000f
  return 0x3030_3030_3030_3030 &+ (tens | (pairs &- tens &* 10) << 8)
}

@inline(__always)
private func store(_ text: UInt64, at target: UnsafeMutablePointer<UInt8>) {
  UnsafeMutableRawPointer(target).storeBytes(of: text.littleEndian, as: UInt64.self)
}

/// The number whose first decimal digit is the lowest byte of `word`. Neighbours are joined in three steps: digits
/// to pairs, pairs to fours, fours to eight.
@inline(__always)
private func eightDigits(_ word: UInt64) -> Int? {
  let high: UInt64 = 0xf0f0_f0f0_f0f0_f0f0
  let zeros: UInt64 = 0x3030_3030_3030_3030
  guard word & high == zeros, (word &+ 0x0606_0606_0606_0606) & high == zeros else { return nil }
  let pairs = ((word &- zeros) &* (10 << 8 | 1)) >> 8 & 0x00ff_00ff_00ff_00ff
  let fours = (pairs &* (100 << 16 | 1)) >> 16 & 0x0000_ffff_0000_ffff
  return Int(truncatingIfNeeded: (fours &* (10_000 << 32 | 1)) >> 32)
}

@inline(__always)
func write<Number: BinaryInteger & FixedWidthInteger>(
  _ value: Number, width: Int, to target: UnsafeMutablePointer<UInt8>
) {
  var rest = UInt64(truncatingIfNeeded: value)
  var index = width
  while index >= 8 {
    index &-= 8
    let upper = rest / 100_000_000
    store(eightDigits(of: rest &- upper &* 100_000_000), at: target + index)
    rest = upper
  }
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
  store(hexDigits(value), at: target)
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

/// The text of a checksum: eight lower-case digits, the first in the lowest byte.
@inline(__always)
func hexDigits(_ value: UInt32) -> UInt64 {
  var digits = UInt64(value.byteSwapped)
  digits = digits & 0xffff | (digits & 0xffff_0000) << 16
  digits = digits & 0xff_0000_00ff | (digits & 0xff00_0000_ff00) << 8
  digits = digits >> 4 & 0x000f_000f_000f_000f | (digits & 0x000f_000f_000f_000f) << 8
  let letters = (digits &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
  return digits &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
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

  /// The next line of a log, without its newline. After a power cut, bytes that were not flushed may be zeros, also
  /// the newline between a line and its neighbor: the zeros around a line do not belong to it.
  mutating func nextLine() -> UnsafeRawBufferPointer? {
    guard var line = next(before: newline) else { return nil }
    guard !line.isEmpty, memchr(line.baseAddress!, 0, line.count) != nil else { return line }
    line = cut(line, line.firstIndex { $0 != 0 } ?? line.count, line.count)
    return cut(line, 0, line.firstIndex(of: 0) ?? line.count)
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
      for number in numbers { $0.append(field: number) }
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
