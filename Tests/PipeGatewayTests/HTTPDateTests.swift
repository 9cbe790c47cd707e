import Testing

import PipeTime

@testable import PipeGateway

@Suite("HTTP dates")
struct HTTPDateTests {
  @Test(
    "a date has the fixed form of RFC 9110",
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (1_795_237_209, "Sat, 21 Nov 2026 05:00:09 GMT"),
      (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
    ])
  func texts(_ seconds: Int, _ text: String) {
    #expect(HTTPDate.text(Instant(microseconds: seconds * 1_000_000)) == text)
  }
}
