/// A histogram as HdrHistogram writes it: the payload of its encoding V2, not compressed, in base64. So
/// that any of its libraries can read what is kept.
///
/// 40 bytes, big-endian (cookie, length of what follows them, normalizing offset, digits, lowest and highest
/// value, ratio), then the count of each class from 0 on, in ZigZag LEB128; a run of zeros is one negative number.
enum CellCode {
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
    append(UInt32(LatencyClass.significantDigits), to: &bytes)
    append(UInt64(1), to: &bytes)
    append(UInt64(LatencyClass.longest), to: &bytes)
    append((1.0).bitPattern, to: &bytes)
  }

  /// nil unless it is such a histogram of these classes.
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
      guard !isOver, next > index, next <= LatencyClass.count else { return nil }
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
    // The ninth byte has eight bits of the number.
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
