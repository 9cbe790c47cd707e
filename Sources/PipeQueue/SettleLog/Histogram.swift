internal import PipeTime

/// A sparse histogram of times: it stores only the classes in use, since there is one histogram for
/// each tag, kind and interval.
struct SparseHistogram {
  private var counts: [Int: Int] = [:]

  /// Counts from a damaged file must not overflow.
  private static let most = 1 << 52

  mutating func add(_ count: Int, at index: Int) {
    let sum = counts[index, default: 0] &+ min(SparseHistogram.most, count)
    counts[index] = min(SparseHistogram.most, sum)
  }

  mutating func record(_ microseconds: Int, count: Int) {
    add(count, at: HistogramBuckets.index(of: microseconds))
  }

  /// The classes in use, ascending.
  var inOrder: [(index: Int, count: Int)] {
    counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}

/// A histogram as HdrHistogram writes it: the payload of its encoding V2, uncompressed, in base64.
/// Any HdrHistogram library can therefore read the files.
///
/// 40 bytes, big-endian (cookie, length of the rest, normalizing offset, digits, lowest and highest
/// value, ratio), then the count of each class from 0 on, in ZigZag LEB128; a run of zeros is one
/// negative number.
enum HistogramCodec {
  private static let cookie: UInt32 = 0x1c84_9303 | 0x10

  /// `cells`: ascending.
  static func append(_ cells: [(index: Int, count: Int)], to out: inout [UInt8]) {
    var payload: [UInt8] = []
    var next = 0
    for (index, count) in cells {
      if index > next { append(index - next == 1 ? 0 : next - index, to: &payload) }
      append(count, to: &payload)
      next = index + 1
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(40 + payload.count)
    appendHead(payload.count, to: &bytes)
    Base64.append(bytes + payload, to: &out)
  }

  private static func appendHead(_ count: Int, to bytes: inout [UInt8]) {
    append(cookie, to: &bytes)
    append(UInt32(truncatingIfNeeded: count), to: &bytes)
    append(UInt32(0), to: &bytes)
    append(UInt32(HistogramBuckets.significantDigits), to: &bytes)
    append(UInt64(1), to: &bytes)
    append(UInt64(HistogramBuckets.longest), to: &bytes)
    append((1.0).bitPattern, to: &bytes)
  }

  /// nil unless the text is such a histogram with these classes.
  static func counts(_ text: UnsafeRawBufferPointer) -> [(index: Int, count: Int)]? {
    guard let bytes = Base64.bytes(text), bytes.count >= 40 else { return nil }
    var head: [UInt8] = []
    head.reserveCapacity(40)
    appendHead(bytes.count - 40, to: &head)
    guard bytes.starts(with: head) else { return nil }
    var found: [(index: Int, count: Int)] = []
    var at = 40
    var index = 0
    while at < bytes.count {
      guard let number = number(bytes, &at) else { return nil }
      if number > 0 { found.append((index, number)) }
      let (next, isOver) = index.addingReportingOverflow(number < 0 ? 0 &- number : 1)
      guard !isOver, next > index, next <= HistogramBuckets.count else { return nil }
      index = next
    }
    return found
  }

  private static func append(_ value: some FixedWidthInteger, to out: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { out += $0 }
  }

  private static func append(_ value: Int, to out: inout [UInt8]) {
    var rest = UInt64(bitPattern: Int64((value << 1) ^ (value >> 63)))
    var width = 1
    // The ninth byte holds eight bits of the number.
    while rest >= 0x80, width < 9 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
      width += 1
    }
    out.append(UInt8(truncatingIfNeeded: rest))
  }

  private static func number(_ bytes: [UInt8], _ at: inout Int) -> Int? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while at < bytes.count {
      let byte = UInt64(bytes[at])
      at += 1
      if shift == 56 || byte < 0x80 {
        value |= byte << shift
        return Int(truncatingIfNeeded: value >> 1) ^ (0 &- Int(truncatingIfNeeded: value & 1))
      }
      value |= (byte & 0x7f) << shift
      shift += 7
    }
    return nil
  }
}

/// RFC 4648, section 4.
package enum Base64 {
  private static let alphabet: StaticString =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  package static func append(_ bytes: [UInt8], to out: inout [UInt8]) {
    let digits = alphabet.utf8Start
    out.reserveCapacity(out.count + (bytes.count + 2) / 3 * 4)
    var at = 0
    while at < bytes.count {
      let left = bytes.count - at
      let group =
        Int(bytes[at]) << 16 | (left > 1 ? Int(bytes[at + 1]) << 8 : 0)
        | (left > 2 ? Int(bytes[at + 2]) : 0)
      out.append(digits[group >> 18])
      out.append(digits[group >> 12 & 63])
      out.append(left > 1 ? digits[group >> 6 & 63] : 0x3d)
      out.append(left > 2 ? digits[group & 63] : 0x3d)
      at += 3
    }
  }

  /// nil unless the text has this form.
  package static func bytes(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var padding = 0
    while padding < 2, padding < text.count, text[text.count - 1 - padding] == 0x3d { padding += 1 }
    var found: [UInt8] = []
    found.reserveCapacity(text.count / 4 * 3)
    var group = 0
    var wrong: UInt8 = 0
    for (position, byte) in text.enumerated() {
      let isPadding = position >= text.count - padding
      let digit = isPadding ? 0 : table[Int(byte)]
      wrong |= digit
      group = group << 6 | Int(digit & 63)
      guard position & 3 == 3 else { continue }
      found.append(UInt8(truncatingIfNeeded: group >> 16))
      found.append(UInt8(truncatingIfNeeded: group >> 8))
      found.append(UInt8(truncatingIfNeeded: group))
      group = 0
    }
    found.removeLast(padding)
    return wrong < 64 ? found : nil
  }

  // 64 and above: not a digit.
  private static let table: [UInt8] = {
    var table = [UInt8](repeating: 0xff, count: 256)
    for value in 0..<64 { table[Int(alphabet.utf8Start[value])] = UInt8(value) }
    return table
  }()
}
