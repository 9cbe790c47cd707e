import TestSupport
import Testing

@testable import PipeJSON
import PipeTime

@Suite struct DateTimeTests {
  private func parsed(_ text: String) -> Int64? {
    lend(Array(text.utf8)) { parseDateTime($0)?.microseconds }
  }

  private func formatted(_ microseconds: Int64) -> String {
    var out: [UInt8] = []
    appendDateTime(Instant(microseconds: microseconds), to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  @Test(
    "a date-time is a number of microseconds since 1970",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01t00:00:00z", 0), ("1970-01-01T00:00:00.000001Z", 1),
      ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31T23:59:59.999999-00:00", -1),
      ("2026-11-21T05:00:00.123456Z", 1_795_237_200_123_456),
      ("2026-11-21T05:00:00.1234569999999999999999999Z", 1_795_237_200_123_456),
      ("2026-11-21T05:00:00.1Z", 1_795_237_200_100_000),
      ("2026-11-21T05:00:00+05:30", 1_795_217_400_000_000),
      ("2026-11-21T05:00:00-23:59", 1_795_323_540_000_000),
      ("2000-02-29T00:00:00Z", 951_782_400_000_000),
      ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
      ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
      ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ] as [(String, Int64)])
  func values(_ text: String, _ microseconds: Int64) {
    #expect(parsed(text) == microseconds)
  }

  @Test(
    "text that is not a date-time of RFC 3339 is rejected",
    arguments: [
      "", "2026", "2026-11-21", "2026-11-21T", "2026-11-21T05:00:00", "2026-11-21 05:00:00Z",
      "2026-11-21T05:00Z", "2026-11-21T05:00:00.Z", "2026-11-21T05:00:00,5Z",
      "2026-11-21T24:00:00Z",
      "2026-11-21T05:60:00Z", "2026-11-21T05:00:61Z", "2026-00-21T05:00:00Z",
      "2026-13-21T05:00:00Z",
      "2026-11-00T05:00:00Z", "2026-11-31T05:00:00Z", "2026-02-29T05:00:00Z",
      "1900-02-29T05:00:00Z",
      "2024-02-30T05:00:00Z", "2026-11-21T05:00:00+0100", "2026-11-21T05:00:00+01",
      "2026-11-21T05:00:00+24:00", "2026-11-21T05:00:00+01:60", "2026-11-21T05:00:00Z ",
      " 2026-11-21T05:00:00Z", "2026-11-21T05:00:00ZZ", "26-11-21T05:00:00Z",
      "+2026-11-21T05:00:00Z",
      "2026-1-21T05:00:00Z", "2026-11-21T5:00:00Z", "2026/11/21T05:00:00Z", "2026-11-21T05.00.00Z",
      "-026-11-21T05:00:00Z", "2026-11-21T05:00:00 +01:00", "20261121T050000Z",
    ])
  func others(_ text: String) {
    #expect(parsed(text) == nil)
  }

  @Test("a time is written with six digits of a second")
  func formats() {
    #expect(formatted(0) == "1970-01-01T00:00:00.000000Z")
    #expect(formatted(-1) == "1969-12-31T23:59:59.999999Z")
    #expect(formatted(1_795_237_200_123_456) == "2026-11-21T05:00:00.123456Z")
    #expect(formatted(-62_167_219_200_000_000) == "0000-01-01T00:00:00.000000Z")
    #expect(formatted(253_402_300_800_000_000) == "10000-01-01T00:00:00.000000Z")
    #expect(formatted(.max) == "294247-01-10T04:00:54.775807Z")
    #expect(formatted(.min) == "-290308-12-21T19:59:05.224192Z")
  }

  @Test("a written time is read back as it was")
  func roundTrip() {
    var random = SplitMix(seed: 5)
    for _ in 0..<3000 {
      let range: ClosedRange<Int64> = -62_167_219_200_000_000...253_402_300_799_999_999
      let time = Int64.random(in: range, using: &random)
      #expect(parsed(formatted(time)) == time)
    }
  }

  @Test("every day of 800 years follows the one before")
  func calendar() {
    var day = CivilDate(year: 1600, month: 1, day: 1).daysSinceEpoch
    var months = 0
    for year in Int64(1600)..<2400 {
      for month in Int64(1)...12 {
        for date in Int64(1)...31 {
          let civil = CivilDate(year: year, month: month, day: date)
          guard civil.isReal else { continue }
          if civil.daysSinceEpoch != day || CivilDate(daysSinceEpoch: day) != civil {
            Issue.record("\(year)-\(month)-\(date)")
          }
          day += 1
        }
        months += 1
      }
    }
    #expect(months == 9600 && day == CivilDate(year: 2400, month: 1, day: 1).daysSinceEpoch)
  }
}
