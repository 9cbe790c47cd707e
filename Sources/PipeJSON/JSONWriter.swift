/// Appends JSON fragments to bytes.
package enum JSONWriter {
  @inline(__always)
  package static func append(_ text: StaticString, to out: inout [UInt8]) {
    out.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Microseconds since the epoch as a quoted RFC 3339 time.
  package static func quotedTime(_ microseconds: Int64) -> [UInt8] {
    var time: [UInt8] = [0x22]
    appendDateTime(microseconds: microseconds, to: &time)
    time.append(0x22)
    return time
  }
}
