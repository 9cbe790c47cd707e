import Testing

@testable import PipeStats
@testable import PipeText

struct SuccessTests {
  @Test func `the interval of a ratio equals SciPy's`() throws {
    let rows = try reference("intervals")
    #expect(rows.count == 15)
    for row in rows {
      let found = Success(
        acknowledged: try #require(Int(row[0])), failed: try #require(Int(row[1])))
      #expect(close(found.low, try #require(Double(row[2]))), "\(row) \(found)")
      #expect(close(found.high, try #require(Double(row[3]))), "\(row) \(found)")
    }
  }

  /// Newcombe, "Two-sided confidence intervals for the single proportion: comparison of seven methods",
  /// Statistics in Medicine 17 (1998), table I, method 3.
  @Test(
    arguments: [
      (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
      (1, 29, 0.0061, 0.1718),
    ] as [(Int, Int, Double, Double)])
  func `the interval of a ratio equals the published one`(
    part: Int, whole: Int, low: Double, high: Double
  ) throws {
    let found = try #require(Proportion(part: part, rest: whole - part).interval)
    #expect(fixed(found.low, 4) == fixed(low, 4))
    #expect(fixed(found.high, 4) == fixed(high, 4))
  }

  @Test func `retried and buried items count as failed`() {
    var activity = Activity()
    activity.acknowledged = 6
    activity.retried = 3
    activity.buried = 1
    #expect(activity.success.failed == 4)
    #expect(activity.success.ratio == 0.6)
  }

  @Test func `an activity with nothing settled has no ratio`() {
    let success = Activity().success
    #expect(success.ratio == nil)
    #expect(success.low == nil)
    #expect(success.high == nil)
  }

  @Test func `the largest possible counts have a ratio`() {
    var activity = Activity()
    activity.acknowledged = .max
    activity.retried = .max
    activity.buried = .max
    #expect(activity.success.ratio == 0.5)
    #expect(activity.success.failed == .max)
    #expect(Success(acknowledged: .min, failed: -1).ratio == nil)
  }

  @Test func `the interval of a ratio of one or zero ends at the ratio`() {
    for count in 1...2000 {
      #expect(Success(acknowledged: count, failed: 0).high == 1)
      #expect(Success(acknowledged: 0, failed: count).low == 0)
    }
  }
}
