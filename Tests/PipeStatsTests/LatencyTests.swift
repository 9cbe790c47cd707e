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

  @Test func `nothing was measured, so there is nothing to tell`() {
    let latency = Latency()
    #expect(latency.count == 0)
    #expect(latency.mean == nil)
    #expect(latency.percentile(99) == nil)
    #expect(latency.max == nil)
    #expect(latency.values.isEmpty)
  }

  @Test func `what lies beyond the range counts at its ends`() throws {
    var latency = Latency()
    latency.record(-5)
    latency.record(.max)
    #expect(latency.count == 2)
    #expect(latency.count(upTo: 0) == 1)
    #expect(try #require(latency.max) >= 2_592_000)
  }
}
