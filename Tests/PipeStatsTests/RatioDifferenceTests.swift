import Testing

@testable import PipeStats
@testable import PipeText

struct RatioDifferenceTests {
  /// Newcombe, "Interval estimation for the difference between independent proportions: comparison of
  /// eleven methods", Statistics in Medicine 17 (1998), table II, method 10.
  @Test(
    arguments: [
      (56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090),
      (6, 7, 2, 7, 0.0582, 0.8062), (5, 56, 0, 29, -0.0381, 0.1926),
      (0, 10, 0, 20, -0.1611, 0.2775), (0, 10, 0, 10, -0.2775, 0.2775),
      (10, 10, 0, 20, 0.6791, 1), (10, 10, 0, 10, 0.6075, 1),
    ] as [(Int, Int, Int, Int, Double, Double)])
  func `the interval of a difference equals the published one`(
    part: Int, whole: Int, other: Int, all: Int, low: Double, high: Double
  ) throws {
    let found = try #require(
      RatioDifference(
        Proportion(part: other, rest: all - other), Proportion(part: part, rest: whole - part)))
    #expect(fixed(found.interval.low, 4) == fixed(low, 4))
    #expect(fixed(found.interval.high, 4) == fixed(high, 4))
  }

  @Test func `the p of a difference equals SciPy's`() throws {
    let rows = try reference("ratios")
    #expect(rows.count == 8)
    for row in rows {
      let counts = row.prefix(4).compactMap(Int.init)
      let found = try #require(
        RatioDifference(
          Proportion(part: counts[0], rest: counts[1]),
          Proportion(part: counts[2], rest: counts[3])))
      #expect(close(found.p, try #require(Double(row[4])), within: 1e-6), "\(row) \(found)")
    }
  }

  @Test func `two sides that both succeed or both fail entirely show no difference`() {
    let all = Proportion(part: 12, rest: 0)
    #expect(RatioDifference(all, Proportion(part: 7, rest: 0))?.p == 1)
    let none = Proportion(part: 0, rest: 12)
    #expect(RatioDifference(none, Proportion(part: 0, rest: 7))?.p == 1)
    #expect(RatioDifference(all, Proportion(part: 0, rest: 0)) == nil)
    #expect(RatioDifference(all, none)?.interval.low == -1)
  }
}
