import Testing

@testable import PipeStats

struct NumberSampleTests {
  @Test func `small whole numbers and decimals come back unchanged`() {
    var sample = NumberSample()
    for value in [0.1, -3, 2, 1e300, 2, 0.25, 100_000] { sample.record(SampledNumber(value)) }
    #expect(sample.percentiles([0, 50, 80, 100]).map(\.?.value) == [-3, 2, 100_000, 1e300])
    #expect(
      sample.line(skipped: 7).hasPrefix(#"{"count":7,"mean":"#)
        && sample.line(skipped: 7).hasSuffix(#""max":1e300,"skipped":7}"# + "\n"))
  }

  @Test func `percentiles of many numbers are within a ten-thousandth of the exact ones`() {
    var sample = NumberSample()
    var values: [Double] = []
    var state: UInt64 = 42
    for _ in 0..<200_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Double(state >> 11) / 1e6 - 4e9
      values.append(value)
      sample.record(SampledNumber(value))
    }
    values.sort()
    for percent in [1.0, 50, 90, 99, 99.9] {
      let exact = values[Int((Double(values.count) * percent / 100).rounded(.up)) - 1]
      let found = sample.percentiles([percent])[0]!.value
      #expect(abs(found - exact) <= abs(exact) * 1e-4, "p\(percent)")
    }
  }

  @Test func `a mean keeps its digits over many small steps and does not overflow`() {
    var small = NumberSample()
    for _ in 0..<1000 { small.record(SampledNumber(0.1)) }
    for value in 1...1000 { small.record(SampledNumber(Double(value))) }
    #expect(small.line(skipped: 0).contains(#""mean":250.3,"#))
    var large = NumberSample()
    for _ in 0..<3 { large.record(SampledNumber(1e308)) }
    #expect(abs((large.mean ?? 0) / 1e308 - 1) < 1e-12)
  }

  @Test func `a number has the digits that distinguish it from its neighbours`() {
    for (value, text) in [
      (0.1, "0.1"), (0.1234567890123456, "0.1234567890123456"), (1 / 3.0, "0.3333333333333333"),
      (1_700_000_000.123456, "1700000000.123456"), (.leastNonzeroMagnitude, "5e-324"),
      (-0.0, "0.0"),
      (1.7976931348623157e308, "1.7976931348623157e308"), (-2.5, "-2.5"), (1e21, "1e21"),
    ] { #expect(SampledNumber(value).text == text) }
    for value in [Double.pi, 1e22, 123e-20, .leastNormalMagnitude, 0.1 + 0.2] {
      #expect(Double(SampledNumber(value).text) == value)
      #expect(Double(SampledNumber(value.nextUp).text) == value.nextUp)
    }
  }

  @Test func `whole numbers of 64 bits keep all their digits, even the last`() {
    let digits = [
      "9007199254740993", "1700000000123456789", "18446744073709551615", "-9223372036854775808",
      "9223372036854775807", "0", "-0", "-18446744073709551615",
    ]
    for text in digits {
      let shown = text == "-0" ? "0" : text
      #expect(SampledNumber(whole: text)?.text == shown + ".0")
    }
    #expect(SampledNumber(whole: "18446744073709551616") == nil)
    var sample = NumberSample()
    for last in 100..<1000 {
      sample.record(SampledNumber(whole: "1700000000123456\(last)") ?? SampledNumber(0))
    }
    #expect(
      sample.percentiles([0, 50, 90, 100]).map { $0?.text } == [
        "1700000000123456100.0", "1700000000123456549.0", "1700000000123456909.0",
        "1700000000123456999.0",
      ])
  }

  @Test func `a sample leaves out values that are not finite`() {
    var sample = NumberSample()
    sample.record(SampledNumber(.nan))
    sample.record(SampledNumber(.infinity))
    #expect(sample.count == 0)
    #expect(sample.percentiles([50]) == [nil])
    #expect(
      sample.line(skipped: 2)
        == #"{"count":0,"mean":null,"p50":null,"p90":null,"p99":null,"p99.9":null,"max":null,"#
        + #""skipped":2}"# + "\n")
  }
}
