import Foundation
import TestSupport
import Testing

@Suite("Counts of stats")
struct StatsCountTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
  }

  @Test("stats counts each item in exactly one state, by priority")
  func states() throws {
    for (priority, count) in [("HIGH", 9), ("MEDIUM", 11), ("LOW", 13)] {
      let ids = (1...count).map(String.init).joined(separator: ",")
      try scratch.store(#"{"ids":[\#(ids)],"priority":"\#(priority)"}"#)
    }
    try scratch.prepare("batch", "-n", "1", "--size", "2", "--hold", "1h")
    try scratch.sh("pipe consume -n 1 --size 3 -- false").expect(errors: nil, status: 1)
    try scratch.sh("pipe consume -n 1 --size 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.pipe("consume", "-n", "1", "--size", "5", "--", "true").expect()
    try scratch.pipe("consume", "-n", "1", "--size", "4", "--", "true").expect()
    let figures = try scratch.figures()
    #expect(figures.items("claimed") == [2, 0, 0])
    #expect(figures.items("later") == [3, 0, 0])
    #expect(figures.items("dead") == [1, 0, 0])
    #expect(figures.items("done") == [3, 6, 0])
    #expect(figures.items("ready") == [0, 5, 13])
    for state in ["ready", "claimed", "later", "dead", "done"] {
      let listed = try scratch.sh("pipe list --state \(state) | jq '.ids | length'").lines
      let count = listed.reduce(0) { $0 + (Int($1) ?? 0) }
      #expect(figures.items(state).reduce(0, +) == count, "\(state)")
    }
  }

  @Test("stats counts a dropped item no longer as dead, and a retried item as ready")
  func dropped() throws {
    let ids = try scratch.store(#"{"ids":[1,2]}"#, #"{"ids":[3,4,5]}"#, "6")
    try scratch.sh("pipe consume -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    #expect(try scratch.figures().items("dead") == [0, 6, 0])
    try scratch.sh("pipe drop \(ids[0])").expect(nil)
    #expect(try scratch.figures().items("dead") == [0, 4, 0])
    try scratch.sh("pipe retry \(ids[1])").expect(nil)
    let figures = try scratch.figures()
    #expect(figures.items("dead") == [0, 1, 0] && figures.items("ready") == [0, 3, 0])
    #expect(figures.settled == settled(0, failed: 6))
    try scratch.sh("pipe drop \(ids[2])").expect(nil)
    #expect(try scratch.figures().items("dead") == [0, 0, 0])
  }

  @Test("a delayed item is never the oldest ready one, and is later once a consumer has met it")
  func delayed() throws {
    try scratch.pipe("enqueue", "--raw", "--quiet", "--delay", "1h", input: "1\n2\n").expect("")
    #expect(try scratch.figures().priorities("oldest_ready_seconds") == [nil, nil, nil])
    try scratch.pipe("consume", "--", "true").expect("")
    let figures = try scratch.figures()
    #expect(figures.items("later") == [0, 2, 0] && figures.items("ready") == [0, 0, 0])
    #expect(figures.ages("MEDIUM").reduce(0, +) == 2)
  }

  @Test(
    "stats shows how long the oldest item has been ready, and each waiting item in one age column")
  func ages() throws {
    let before = uptime()
    try scratch.store("1", "2", #"{"ids":[3,4,5],"priority":"HIGH"}"#)
    let stored = uptime()
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    let figures = try scratch.figures()
    let oldest = figures.priorities("oldest_ready_seconds")
    let longest = uptime() - before
    #expect(oldest[2] == nil && longest >= uptime() - stored)
    for age in oldest.prefix(2) { #expect((0...longest + 0.01).contains(age ?? -1)) }
    #expect(figures.ages("HIGH").reduce(0, +) == 3, "ready and later")
    #expect(figures.ages("MEDIUM").reduce(0, +) == 2)
    #expect(figures.ages("LOW") == [Int](repeating: 0, count: 10))
  }

  @Test("stats counts accepted lines as entries, and rejected lines wherever they were met")
  func counters() throws {
    try scratch.store(#"{"ids":[1,2,3,4,5,6,7,8]}"#, "1", "2")
    try scratch.pipe("ingest", input: "1\nbad\n{\"ids\":[]}\n\n2\n").expect(errors: nil, status: 65)
    try scratch.pipe("ingest", "--reject", "kept", input: "bad\n").expect("", errors: nil)
    try scratch.pipe("enqueue", input: "no entry\n1\n").expect("", errors: nil, status: 65)
    try scratch.sh("pipe ingest -q elsewhere", input: "bad\n").expect("", errors: nil, status: 65)
    let figures = try scratch.figures()
    #expect(figures["counters/ingested_rows_total"] == 3)
    #expect(figures["counters/pipe_accepted_items_total"] == 10)
    #expect(figures["counters/failed_validations_total"] == 5)
    #expect(figures["counters/ingestion_errors_total"] == 0)
    #expect(figures.items("ready") == [0, 10, 0])
  }

  @Test("stats counts lines that a full queue refused as errors")
  func full() throws {
    try scratch.prepare("init", "--max-items", "2")
    try scratch.store("1", "2")
    try scratch.pipe("enqueue", "--raw", input: "3\n4\n5\n").expect("", errors: nil, status: 75)
    let figures = try scratch.figures()
    #expect(figures["counters/ingested_rows_total"] == 2)
    #expect(figures["counters/ingestion_errors_total"] == 3)
  }
}
