import Foundation
import Testing

@Suite("Samples of damage")
struct DamageSampleTests {
  @Test(
    "one damage anywhere in a queue costs no more than the items whose bytes it hit",
    .needs("python3"))
  func sample() throws {
    try Scratch().sh("\(Scratch.root)/Tests/damage --every 211 --jobs 1 --pipe \"$(command -v pipe)\"")
      .expect(nil)
  }
}
