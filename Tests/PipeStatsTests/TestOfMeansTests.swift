import Testing

@testable import PipeStats

struct TestOfMeansTests {
  @Test func `Student's distribution and its quantile equal SciPy's`() throws {
    let rows = try reference("student").map { $0.compactMap(Double.init) }
    #expect(rows.count == 130)
    for row in rows {
      let student = try #require(StudentT(freedom: row[0]))
      #expect(close(student.twoSided(row[1]), row[2], within: 1e-8), "\(row)")
      #expect(close(student.quantile, row[3]), "\(row)")
    }
  }

  @Test func `Welch's test equals SciPy's`() throws {
    let rows = try reference("welch").map { $0.compactMap(Double.init) }
    #expect(rows.count == 10)
    for row in rows {
      let first = try #require(Sample(count: row[0], mean: row[1], variance: row[2]))
      let second = try #require(Sample(count: row[3], mean: row[4], variance: row[5]))
      let found = try #require(Welch(first, second))
      #expect(close(found.t, row[6]), "\(row) \(found)")
      #expect(close(found.freedom, row[7]), "\(row) \(found)")
      #expect(close(found.p, row[8], within: 1e-7), "\(row) \(found)")
      #expect(close(found.interval.low, row[9]), "\(row) \(found)")
      #expect(close(found.interval.high, row[10]), "\(row) \(found)")
    }
  }

  @Test func `Welch's test has no result for samples that do not vary`() throws {
    let one = try #require(Sample(count: 50, mean: 1, variance: 0))
    let two = try #require(Sample(count: 50, mean: 2, variance: 0))
    #expect(Welch(one, two) == nil)
  }

  @Test func `a sample needs at least two values and finite figures`() {
    #expect(Sample(count: 1, mean: 0, variance: 0) == nil)
    #expect(Sample(count: 9, mean: .nan, variance: 0) == nil)
    #expect(Sample(count: 9, mean: 1, variance: .infinity) == nil)
    #expect(Sample(Latency()) == nil)
  }

  @Test func `numbers outside the domain have no probability`() throws {
    #expect(StudentT(freedom: 0) == nil)
    #expect(StudentT(freedom: .nan) == nil)
    let student = try #require(StudentT(freedom: 3))
    #expect(student.twoSided(.nan) == nil)
    #expect(student.twoSided(.infinity) == 0)
    #expect(student.twoSided(1e200) == 0)
    #expect(StudentT(freedom: .infinity)?.twoSided(0) == 1)
    #expect(IncompleteBeta.value(x: 2, y: -1, a: 1, b: 1) == nil)
    #expect(Normal.twoSided(.nan) == nil)
  }
}
