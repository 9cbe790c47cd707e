/// Microseconds since the Unix epoch of an RFC 3339 date-time; nil if it is none. Digits after the
/// sixth of a fraction are dropped, and second 60 is the next minute's second 0.
package func parseDateTime(_ text: UnsafeRawBufferPointer) -> Int64? {
  var reader = DateTimeReader(text: Text(text))
  guard let date = reader.date(), let time = reader.timeOfDay(),
    let fraction = reader.microseconds(), let offset = reader.offset(), reader.isAtEnd
  else { return nil }
  return (date.daysSinceEpoch * 86_400 + time - offset) * 1_000_000 + fraction
}

/// Writes a time as `2026-11-21T05:00:00.123456Z`. Years outside 0000 to 9999, which
/// `parseDateTime` does not know, come with a sign or more digits.
package func appendDateTime(microseconds: Int64, to out: inout [UInt8]) {
  let seconds = floorDivide(microseconds, by: 1_000_000)
  let days = floorDivide(seconds, by: 86_400)
  let date = CivilDate(daysSinceEpoch: days)
  let time = seconds - days * 86_400
  if date.year < 0 { out.append(.minus) }
  append(abs(date.year), 4, to: &out)
  append(date.month, 2, after: .minus, to: &out)
  append(date.day, 2, after: .minus, to: &out)
  append(time / 3600, 2, after: UInt8(ascii: "T"), to: &out)
  append(time / 60 % 60, 2, after: .colon, to: &out)
  append(time % 60, 2, after: .colon, to: &out)
  // The product alone may pass the least Int64.
  append(microseconds &- seconds &* 1_000_000, 6, after: .dot, to: &out)
  out.append(UInt8(ascii: "Z"))
}

private func append(_ value: Int64, _ width: Int, after byte: UInt8, to out: inout [UInt8]) {
  out.append(byte)
  append(value, width, to: &out)
}

private func append(_ value: Int64, _ width: Int, to out: inout [UInt8]) {
  var unit: Int64 = 1
  for _ in 1..<width { unit *= 10 }
  while value / 10 >= unit { unit *= 10 }
  while unit > 0 {
    out.append(.zero + UInt8(value / unit % 10))
    unit /= 10
  }
}
