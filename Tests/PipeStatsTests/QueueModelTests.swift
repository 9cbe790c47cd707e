import Testing

@testable import PipeStats

struct QueueModelTests {
  private func station(_ arrivals: Double, _ rate: Double, _ variance: Double = 0) throws -> Station
  {
    try #require(Station(arrivals: arrivals, service: 1 / rate, variance: variance))
  }

  @Test func `Erlang's formula and the percentiles of the total equal SciPy's`() throws {
    let rows = try reference("servers").map { $0.compactMap(Double.init) }
    #expect(rows.count == 12)
    for row in rows {
      let found = try #require(
        ExponentialService(try station(row[0], row[1]), consumers: Int(row[2])))
      #expect(close(found.waiting, row[3]), "\(row) \(found)")
      #expect(close(found.total(quantile: 0.5), row[4], within: 1e-7), "\(row) \(found)")
      #expect(close(found.total(quantile: 0.99), row[5], within: 1e-7), "\(row) \(found)")
    }
  }

  /// Kleinrock, Queueing Systems I (1975), section 3.2: T = 1/(µ − λ), W = ρ/(µ − λ).
  @Test func `customers at two thirds of the service rate stay for one second`() throws {
    let found = try #require(ExponentialService(try station(2, 3)))
    #expect(close(found.waiting, 2.0 / 3))
    #expect(close(found.meanWait, 2.0 / 3))
    #expect(close(found.meanTotal, 1))
    #expect(close(found.total(quantile: 0.5), 0.693_147_180_559_945))
    #expect(close(found.wait(quantile: 0.99), 4.199_705_077_879_93))
    #expect(found.wait(quantile: 0.2) == 0)
  }

  /// The textbook's closed forms: C(2, ρ) = ρ²/(2 + ρ), C(3, 2) = 4/9.
  @Test func `the wait with two or three consumers equals the textbook's`() throws {
    let two = try #require(ExponentialService(try station(1, 1), consumers: 2))
    #expect(close(two.waiting, 1.0 / 3))
    #expect(close(two.meanTotal, 4.0 / 3))
    let three = try #require(ExponentialService(try station(2, 1), consumers: 3))
    #expect(close(three.waiting, 4.0 / 9))
    #expect(close(three.meanWait, 4.0 / 9))
  }

  @Test func `regular service halves the wait, and exponential service equals M/M/1`() throws {
    let regular = try #require(GeneralService(try station(2, 3)))
    #expect(close(regular.meanWait, 1.0 / 3))
    #expect(close(regular.meanTotal, 2.0 / 3))
    let exponential = try #require(GeneralService(try station(2, 3, 1.0 / 9)))
    #expect(close(exponential.meanWait, 2.0 / 3))
  }

  @Test func `a consumer that cannot keep up has no mean wait`() throws {
    for station in [try station(3, 3), try station(7, 3)] {
      #expect(ExponentialService(station) == nil)
      #expect(GeneralService(station) == nil)
    }
    #expect(try station(3, 3).consumersNeeded == 2)
    #expect(try station(2, 3).consumersNeeded == 1)
    #expect(ExponentialService(try station(7, 3), consumers: 3)?.consumers == 3)
  }

  @Test func `the wait just below full load is long but finite`() throws {
    let edge = try station(1 - 1e-12, 1, 1)
    let found = try #require(ExponentialService(edge))
    #expect(found.meanWait > 9e11 && found.meanWait < 1.1e12)
    #expect(try #require(GeneralService(edge)).meanWait > 9e11)
    let crowd = try station(1e6 - 1, 1)
    #expect(crowd.consumersNeeded == 1_000_000)
    let many = try #require(ExponentialService(crowd, consumers: 1_000_000))
    #expect(many.waiting > 0.99 && many.waiting < 1)
    #expect(try #require(many.total(quantile: 0.99)) > 4.6)
  }

  @Test func `a station accepts only rates that are positive and finite`() throws {
    for bad in [0, -1, .nan, .infinity] {
      #expect(Station(arrivals: bad, service: 1, variance: 0) == nil)
      #expect(Station(arrivals: 1, service: bad, variance: 0) == nil)
    }
    #expect(Station(arrivals: 1, service: 1, variance: -1) == nil)
    #expect(Station(arrivals: 1e200, service: 1e200, variance: 0) == nil)
    #expect(Station(arrivals: 1, service: .leastNonzeroMagnitude, variance: 0) == nil)
    let fine = try station(1, 2)
    #expect(ExponentialService(fine, consumers: 0) == nil)
    #expect(ExponentialService(fine, consumers: .max) == nil)
    #expect(ExponentialService(fine)?.total(quantile: 1) == nil)
    #expect(ExponentialService(fine)?.wait(quantile: .nan) == nil)
    #expect(try station(1e9, 1).consumersNeeded == nil)
  }
}
