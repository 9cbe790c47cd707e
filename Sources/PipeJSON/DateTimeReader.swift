/// Takes the parts of an RFC 3339 date-time off a text, in their order. Nil: not there.
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

  /// `T` and the seconds since midnight.
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
