import Foundation
import TestSupport
import Testing

@Suite("Samples of damage")
struct DamageSampleTests {
  @Test(
    "one damage anywhere in a queue costs no more than the items whose bytes it hit",
    .needs("python3"))
  func sample() throws {
    try Scratch().sh(
      "\(Repository.path)/Tests/damage --every 211 --jobs 1 --pipe \(Binary.path)"
    )
    .expect(nil)
  }

  @Test(
    "a repair of one damage anywhere in a queue leaves nothing for fsck except lost items",
    .needs("python3"))
  func repair() throws {
    try Scratch().sh(
      "\(Repository.path)/Tests/damage --repair --every 307 --jobs 1 --pipe \(Binary.path)"
    )
    .expect(nil)
  }
}
