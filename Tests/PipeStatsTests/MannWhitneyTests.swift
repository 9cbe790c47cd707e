import Testing

@testable import PipeStats

struct MannWhitneyTests {
  private func sample(_ text: String) -> [(value: Double, count: Int)] {
    text.split(separator: ",").compactMap { pair in
      let parts = pair.split(separator: ":")
      guard parts.count == 2, let value = Double(parts[0]), let count = Int(parts[1]) else {
        return nil
      }
      return (value, count)
    }
  }

  @Test func `the Mann-Whitney test equals SciPy's for few, many and tied values`() throws {
    let rows = try reference("mannwhitney")
    #expect(rows.count == 11)
    for row in rows {
      let found = try #require(MannWhitney(sample(row[0]), sample(row[1])))
      #expect(found.u == Double(row[2]), "\(row) \(found)")
      #expect(close(found.p, try #require(Double(row[3])), within: 1e-7), "\(row) \(found)")
    }
  }

  @Test func `the Mann-Whitney test has no result for an empty sample`() {
    #expect(MannWhitney([], sample("1:3")) == nil)
    #expect(MannWhitney(sample("1:3"), [(2, 0), (3, -4)]) == nil)
  }

  @Test func `a sample that lies entirely below another is below it in all pairs`() throws {
    let found = try #require(MannWhitney(sample("5:10,6:10"), sample("1:30")))
    #expect(found.below == 1)
    #expect(found.p < 1e-6)
  }

  @Test func `the largest counts and NaN values still give a probability`() throws {
    let found = try #require(
      MannWhitney([(1, .max), (2, .max)], [(1, .max), (2, .max), (3, .max)]))
    #expect(found.p >= 0 && found.p <= 1)
    let odd = try #require(MannWhitney([(.nan, 3)], [(.nan, 3), (.infinity, 2)]))
    #expect(odd.p >= 0 && odd.p <= 1)
  }
}
