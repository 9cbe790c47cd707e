import Testing

@testable import PipeStats
@testable import PipeText

struct NumberTests {
  @Test(
    arguments: [
      (0, "0.0"), (-0.0, "0.0"), (1, "1.0"), (0.93, "0.93"), (1.0 / 3, "0.333333"),
      (-2.5, "-2.5"), (0.000_001, "0.000001"), (1.5e-9, "0.0000000015"), (1.25e-12, "1.25e-12"),
      (999_999.5, "1000000.0"), (123_456.789, "123457.0"), (2_592_000, "2592000.0"),
      (1_234_567.8, "1234568.0"), (1e15, "1e15"), (9.99e14, "999000000000000.0"),
      (1.7e308, "1.7e308"), (.leastNonzeroMagnitude, "4.94066e-324"),
    ] as [(Double, String)])
  func `a number keeps six digits and is plain where possible`(value: Double, text: String) {
    #expect(number(value) == text)
  }

  @Test func `a missing or infinite number becomes null`() {
    #expect(number(nil) == "null")
    #expect(number(.nan) == "null")
    #expect(number(.infinity) == "null")
    #expect(number(-.infinity) == "null")
  }

  @Test(
    arguments: [
      (0, "0 us"), (0.000_001, "1.00 us"), (0.000_812, "812 us"), (0.003_41, "3.41 ms"),
      (0.9996, "1.00 s"), (12, "12.0 s"), (59.98, "1.00 min"), (250, "4.17 min"), (7500, "2.08 h"),
      (2_592_000, "30.0 d"), (1e9, "11574 d"), (1e200, "1.16e195 d"), (1e-30, "0 us"),
      (-0.25, "-250 ms"),
    ] as [(Double, String)])
  func `a time in seconds appears in a suitable unit`(seconds: Double, text: String) {
    #expect(inUnits(seconds) == text)
  }

  @Test func `an unknown time appears as a dash`() {
    #expect(inUnits(nil) == "-")
    #expect(inUnits(.nan) == "-")
  }

  @Test func `a string is escaped as JSON requires`() {
    #expect(quoted("a\"b\\c\n\u{1B}é") == #""a\"b\\c\n\u001Bé""#)
    #expect(object(["a": "1", "b": "null"]) == #"{"a":1,"b":null}"#)
  }
}
