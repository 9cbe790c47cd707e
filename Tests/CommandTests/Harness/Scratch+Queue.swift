import TestSupport
import Testing

extension Scratch {
  /// Makes failed items ready at once, without a backoff.
  func retriesAtOnce() throws { try prepare("init", "--backoff", "0ms..0ms") }

  /// Stores lines of JSON; returns their ids.
  @discardableResult
  func store(_ lines: String...) throws -> [String] {
    let result = try pipe("enqueue", "--raw", input: lines.map { $0 + "\n" }.joined())
    return try result.mustSucceed().receipts
  }

  /// Stores 0, 1, 2, … as records.
  func store(count: Int) throws { try store(0...count - 1) }

  /// Stores these numbers as records.
  func store(_ numbers: ClosedRange<Int>) throws {
    let lines = numbers.map { "\($0)\n" }
    try pipe("enqueue", "--raw", "--quiet", input: lines.joined()).expect("")
  }

  /// Number of items that are ready or claimed.
  func unsettled(in queue: String = "queue") throws -> Int {
    try count("ready", "claimed", in: queue)
  }

  /// Number of items in these states.
  func count(_ states: String..., in queue: String = "queue") throws -> Int {
    let stats = try pipe("stats", "-q", queue, "--json")
    let items = try stats.objects().first?["items"] as? [String: Any]
    let counts = states.compactMap { items?[$0] as? [String: Int] }
    guard counts.count == states.count else { throw Failure("no figures: \(stats)") }
    return counts.flatMap(\.values).reduce(0, +)
  }

  /// For a consumer whose other side is stopped: waits until it has given items to its command, so
  /// that the next event comes in the middle of the work.
  func waitForClaim() throws {
    try wait(until: { try count("claimed") > 0 }, "a claim")
  }
}
