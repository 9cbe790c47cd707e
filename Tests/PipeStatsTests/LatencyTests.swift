import Glibc
import Histogram
import PipeStats
import Testing

struct LatencyTests {
  @Test func `a percentile is within a thousandth of the exact one`() throws {
    var latency = Latency()
    for value in 1...100_000 { latency.record(value * 37) }
    for percentile in [50.0, 90, 99, 99.9] {
      let exact = percentile * 1000 * 37 / 1e6
      let found = try #require(latency.percentile(percentile))
      #expect(abs(found - exact) <= exact / 1000)
    }
    #expect(latency.count == 100_000)
  }

  @Test(arguments: [1.0, 1e3, 1e7, 2e12])
  func `a latency has the figures of HdrHistogram`(scale: Double) throws {
    var generator = SystemRandomNumberGenerator()
    var latency = Latency()
    var part = Latency()
    var reference = Histogram<UInt64>(
      highestTrackableValue: UInt64(Latency.longest), numberOfSignificantValueDigits: .three)
    for number in 0..<5_000 {
      let value =
        Int(-log(Double.random(in: 1e-9..<1, using: &generator)) * scale) % Latency.longest
      if number % 2 == 0 { latency.record(value) } else { part.record(value) }
      reference.record(UInt64(value))
    }
    latency.add(part)
    for percentile in [0.001, 10, 50, 75, 90, 99, 99.9, 99.99, 100] {
      let expected = Double(reference.valueAtPercentile(percentile)) / 1e6
      #expect(latency.percentile(percentile) == expected, "\(percentile) of \(scale)")
    }
    #expect(latency.max == Double(reference.maxRecorded) / 1e6)
    for value in [0, 0.5, 1, 3].map({ $0 * scale }) where value < Double(Latency.longest) {
      let expected = reference.count(within: 0...UInt64(value / 1e6 * 1e6))
      #expect(latency.count(upTo: value / 1e6) == Int(expected))
    }
    let values = reference.recordedValues().map {
      Double(reference.medianEquivalentForValue($0.value)) / 1e6
    }
    #expect(latency.values.map(\.seconds) == values)
    #expect(latency.values.map { UInt64($0.count) } == reference.recordedValues().map(\.count))
  }

  @Test func `an empty latency has no figures`() {
    let latency = Latency()
    #expect(latency.count == 0)
    #expect(latency.mean == nil)
    #expect(latency.percentile(99) == nil)
    #expect(latency.max == nil)
    #expect(latency.values.isEmpty)
  }

  @Test func `a value outside the range counts at the end of the range`() throws {
    var latency = Latency()
    latency.record(-5)
    latency.record(.max)
    #expect(latency.count == 2)
    #expect(latency.count(upTo: 0) == 1)
    #expect(try #require(latency.max) >= 2_592_000)
  }

  @Test func `the mean and the variance equal those of the values`() throws {
    var latency = Latency()
    for value in [100, 200, 200, 300] { latency.record(value) }
    #expect(close(latency.mean, 200e-6))
    #expect(close(latency.variance, 2e-8 / 3))
    #expect(latency.values.map(\.count) == [1, 2, 1])
    var one = Latency()
    one.record(7_000_000)
    #expect(one.variance == nil)
    one.record(7_000_000, count: 999)
    #expect(one.variance == 0)
  }

  @Test func `a million million items that waited a month have a mean`() throws {
    var latency = Latency()
    latency.record(Latency.longest, count: 1_000_000_000_000)
    latency.record(0)
    #expect(close(latency.mean, 2_592_000, within: 1e-3))
    #expect(latency.values.map(\.count) == [1, 1_000_000_000_000])
  }
}
