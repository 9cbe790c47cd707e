package import PipeTime

/// A day of the proleptic Gregorian calendar. The conversions are `days_from_civil` and
/// `civil_from_days` from Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years
/// begin in March, so that the leap day is the last day of a year, and 400 years form an era.
package struct CivilDate: Equatable {
  package var year: Int64
  package var month: Int64
  package var day: Int64

  var isReal: Bool {
    (1...12).contains(month) && day >= 1 && day <= daysInMonth
  }

  private var daysInMonth: Int64 {
    switch month {
    case 2: isLeap ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private var isLeap: Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }
}

extension CivilDate {
  /// Days since 1970-01-01.
  var daysSinceEpoch: Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = floorDivide(shifted, by: 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  package init(daysSinceEpoch days: Int64) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}

/// Rounds down, also below zero.
package func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
  let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
  return rest < 0 ? quotient - 1 : quotient
}

/// The instant of an RFC 3339 date-time; nil if the text is not one. Fraction digits after the sixth
/// are dropped, and second 60 is second 0 of the next minute.
package func parseDateTime(_ text: UnsafeRawBufferPointer) -> Instant? {
  var reader = DateTimeReader(text: Text(text))
  guard let date = reader.date(), let time = reader.timeOfDay(),
    let fraction = reader.microseconds(), let offset = reader.offset(), reader.isAtEnd
  else { return nil }
  let seconds = date.daysSinceEpoch * 86_400 + time - offset
  return Instant(microseconds: seconds * 1_000_000 + fraction)
}

/// Writes a time as `2026-11-21T05:00:00.123456Z`. Years outside 0000 to 9999, which
/// `parseDateTime` does not accept, have a sign or more digits.
package func appendDateTime(_ instant: Instant, to out: inout [UInt8]) {
  let microseconds = instant.microseconds
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
  // Wrapping: the product alone can be below Int64.min.
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

/// Reads the parts of an RFC 3339 date-time from a text, in order. nil: the part is missing or
/// invalid.
struct DateTimeReader {
  let text: Text
  private var index = 0

  init(text: Text) { self.text = text }

  var isAtEnd: Bool { index == text.count }

  mutating func date() -> CivilDate? {
    guard let year = number(4), take(.minus), let month = number(2), take(.minus),
      let day = number(2)
    else { return nil }
    let date = CivilDate(year: year, month: month, day: day)
    return date.isReal ? date : nil
  }

  /// Reads `T` and the time; returns seconds since midnight.
  mutating func timeOfDay() -> Int64? {
    guard take(UInt8(ascii: "T")) || take(UInt8(ascii: "t")),
      let hour = number(2, atMost: 23), take(.colon),
      let minute = number(2, atMost: 59), take(.colon),
      let second = number(2, atMost: 60)
    else { return nil }
    return hour * 3600 + minute * 60 + second
  }

  /// 0 if there is no fraction.
  mutating func microseconds() -> Int64? {
    guard take(.dot) else { return 0 }
    let start = index
    index = text.digitsEnd(from: start)
    guard index > start else { return nil }
    var value: Int64 = 0
    for i in start..<start + 6 {
      value = value * 10 + (i < index ? Int64(text[i] - .zero) : 0)
    }
    return value
  }

  /// Seconds east of UTC.
  mutating func offset() -> Int64? {
    if take(UInt8(ascii: "Z")) || take(UInt8(ascii: "z")) { return 0 }
    let isWest = take(.minus)
    guard isWest || take(.plus), let hour = number(2, atMost: 23), take(.colon),
      let minute = number(2, atMost: 59)
    else { return nil }
    let seconds = hour * 3600 + minute * 60
    return isWest ? -seconds : seconds
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard text.has(byte, at: index) else { return false }
    index += 1
    return true
  }

  private mutating func number(_ width: Int, atMost limit: Int64 = .max) -> Int64? {
    guard index + width <= text.count else { return nil }
    var value: Int64 = 0
    for i in index..<index + width {
      guard text[i].isDigit else { return nil }
      value = value * 10 + Int64(text[i] - .zero)
    }
    index += width
    return value <= limit ? value : nil
  }
}
