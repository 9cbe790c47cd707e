import Testing

@testable import PipeStats
import PipeTime
@testable import PipeText

struct AmountTests {
  @Test(arguments: [
    (0, "0 us"), (0.000_001, "1 us"), (0.000_812, "812 us"), (0.000_000_4, "0.400 us"),
    (0.003_406, "3.41 ms"), (0.999_6, "1.00 s"), (12.06, "12.1 s"), (59.949, "59.9 s"),
    (59.96, "1 min"), (250, "4 min 10 s"), (3599.6, "1 h"), (7500, "2 h 5 min"),
    (86_399, "1 d"), (2_588_400, "29 d 23 h"), (2_592_000, "30 d"),
  ])
  func `a duration appears in suitable units`(seconds: Double, text: String) {
    #expect(span(seconds) == text)
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (-1000, "-1,000"), (12_345_678, "12,345,678"),
    (999_999_999_999, "999,999,999,999"), (1_000_000_000_000, "1000000000000"),
    (Int.min, "-9223372036854775808"),
  ])
  func `a count separates thousands while there is room`(count: Int, text: String) {
    #expect(whole(count) == text)
  }

  @Test(arguments: [
    (99_999, "99999"), (100_000, "100k"), (999_499, "999k"), (999_500, "1.00M"),
    (45_600_000, "45.6M"), (Int.max, "9.22E"),
  ])
  func `a short count fits in five columns`(count: Int, text: String) {
    #expect(short(count) == text)
  }

  @Test(arguments: [
    (nil, "-"), (0, "0 items/s"), (2.016, "2.02 items/s"), (0.5, "30.0 items/min"),
    (0.000_833_3, "3.00 items/h"), (0.000_000_385, "0.0333 items/d"),
    (999.4, "999 items/s"), (1234.4, "1,234 items/s"), (385_802.469, "385,802 items/s"),
    (Double.infinity, "-"),
  ])
  func `a rate appears in a readable unit`(perSecond: Double?, text: String) {
    #expect(pace(perSecond) == text)
  }

  @Test(arguments: [
    (nil, "-"), (0, "0 %"), (1, "100 %"), (0.999_999, "99.99 %"), (0.000_001, "0.01 %"),
    (0.99502, "99.50 %"),
  ])
  func `a share of less than all is never 100 percent`(ratio: Double?, text: String) {
    #expect(inPercent(ratio) == text)
  }

  @Test(
    arguments: [
      (0, "1970-01-01 00:00:00 UTC"), (-1, "1969-12-31 23:59:59 UTC"),
      (951_826_154_999_999, "2000-02-29 12:09:14 UTC"),
      (4_107_542_400_000_000, "2100-03-01 00:00:00 UTC"), (morning, "2026-11-20 08:15:02 UTC"),
    ] as [(Instant, String)])
  func `an instant appears in UTC`(instant: Instant, text: String) {
    #expect(UTC(instant).text == text)
  }

  @Test func `the first and the last instant have a date`() {
    #expect(UTC(.distantPast).text == "-290308-12-21 19:59:05 UTC")
    #expect(UTC(.distantFuture).text == "294247-01-10 04:00:54 UTC")
  }

  @Test(arguments: [
    (0, 1), (0.07, 0.08), (3.4, 4), (5, 5), (6.3, 8), (9, 10), (1_000_001, 2_000_000),
  ])
  func `an axis ends at one digit and a power of ten`(value: Double, end: Double) {
    #expect(abs(roundedUp(value) - end) < 1e-9 * end)
  }
}
