import Foundation
import TestSupport
import Testing

@Suite("A storm of kill -9", .serialized)
struct StormTests {
  /// $STORM_SEED repeats a storm that failed; by default each storm is another.
  private static var seed: UInt64 {
    ProcessInfo.processInfo.environment["STORM_SEED"].flatMap { UInt64($0) }
      ?? .random(in: 0...9999)
  }

  @Test(
    "a storm over eight producers and eight consumers loses nothing and repeats only held items")
  func storm() throws {
    let seed = StormTests.seed
    print("STORM_SEED=\(seed)")
    let scratch = try Scratch(.memory)
    let queue = TestQueue(scratch.path("queue"), scratch)
    // An item whose consumers are killed again and again is not a poison item here.
    try Command.pipe("init", "-q", queue.path, "--retries", "1000").mustRun()
    let storm = try Storm(queue, producers: 8, consumers: 8, seed: seed)
    try storm.rage(kills: 300)
    storm.calm()
    #expect(storm.failures.isEmpty, "seed \(seed)\n\(storm.failures)")
    var ledger = storm.ledger
    try ledger.settle(queue, after: "seed \(seed)")
    print(
      "storm: \(storm.kills) kills, \(ledger.promised.count) receipts, \(ledger.delivered) items",
      "of which \(ledger.again) again and \(ledger.held) held")
  }
}
