import Testing

@testable import PipeStats

struct NumberSampleTests {
  @Test func `small whole numbers and decimals come back as they are`() {
    var sample = NumberSample()
    for value in [0.1, -3, 2, 1e300, 2, 0.25, 100_000] { sample.record(value) }
    #expect(sample.percentiles([0, 50, 80, 100]) == [-3, 2, 100_000, 1e300])
    #expect(
      sample.line(skipped: 7).hasPrefix(#"{"count":7,"mean":"#)
        && sample.line(skipped: 7).hasSuffix(#""max":1e300,"skipped":7}"# + "\n"))
  }

  @Test func `percentiles of many are within five digits of the exact ones`() {
    var sample = NumberSample()
    var values: [Double] = []
    var state: UInt64 = 42
    for _ in 0..<200_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Double(state >> 11) / 1e6 - 4e9
      values.append(value)
      sample.record(value)
    }
    values.sort()
    for percent in [1.0, 50, 90, 99, 99.9] {
      let exact = values[Int((Double(values.count) * percent / 100).rounded(.up)) - 1]
      let found = sample.percentiles([percent])[0]!
      #expect(abs(found - exact) <= abs(exact) * 1e-4, "p\(percent)")
    }
  }

  @Test func `a mean loses no digit to many small steps, and the largest do not overflow`() {
    var small = NumberSample()
    for _ in 0..<1000 { small.record(0.1) }
    for value in 1...1000 { small.record(Double(value)) }
    #expect(small.line(skipped: 0).contains(#""mean":250.3,"#))
    var large = NumberSample()
    for _ in 0..<3 { large.record(1e308) }
    #expect(abs((large.mean ?? 0) / 1e308 - 1) < 1e-12)
  }

  @Test func `nothing but what is no number`() {
    var sample = NumberSample()
    sample.record(.nan)
    sample.record(.infinity)
    #expect(sample.count == 0)
    #expect(sample.percentiles([50]) == [nil])
    #expect(
      sample.line(skipped: 2)
        == #"{"count":0,"mean":null,"p50":null,"p90":null,"p99":null,"p99.9":null,"max":null,"#
        + #""skipped":2}"# + "\n")
  }
}
