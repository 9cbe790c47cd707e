import Foundation
import Glibc
import TestSupport
import Testing

@Suite("A full queue")
struct FullQueueTests {
  @Test("a full queue refuses what does not fit, can be drained, and then accepts entries again")
  func maxItems() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--max-items", "3").expect("")
    let full = "pipe enqueue: \(scratch.path)/queue: the queue is full:"
    let (two, three) = (#"{"ids":[1,2]}"#, #"{"ids":[3,4,5]}"#)
    try scratch.store(two)
    try scratch.pipe("enqueue", "--raw", input: "7\n8\n").expect(
      "",
      errors:
        "\(full) 2 items are not done, at most 3 allowed (pipe init --max-items); "
        + "2 lines not stored\n",
      status: 75)
    try scratch.store("6")
    try scratch.pipe("enqueue", "--raw", input: "7\n").expect(
      "",
      errors:
        "\(full) 3 items are not done, at most 3 allowed (pipe init --max-items); "
        + "1 line not stored\n",
      status: 75)
    try scratch.pipe("consume").expect("1\n2\n6\n")
    try scratch.store(three)
    try scratch.pipe("consume").expect("3\n4\n5\n")
  }

  @Test("failed items count towards max-items, and done items do not")
  func failedItems() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    try scratch.pipe("init", "--max-items", "1").expect("")
    try scratch.store("1")
    try scratch.sh("pipe consume -- false").expect("", errors: nil, status: 1)
    try scratch.pipe("enqueue", "--raw", input: "2\n").expect("", errors: nil, status: 75)
    try scratch.sh("pipe consume -- cat").expect("1\n")
    try scratch.store("2")
  }

  @Test("every waiting item counts towards max-items, even if it is parked outside now/")
  func waitingItems() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--backoff", "1h..2h").expect("")
    let many = String(repeating: "{\"ids\":[1,2,3]}\n", count: 200)
    try scratch.pipe("enqueue", "--raw", "--quiet", input: many).expect("")
    try scratch.sh("pipe consume --size 3 -- false").expect("", errors: nil, status: 1)
    #expect(try !scratch.names(in: "queue/later").isEmpty)
    try scratch.pipe("init", "--max-items", "600").expect("")
    let run = try scratch.pipe("enqueue", "--raw", input: "1\n")
    run.expect("", errors: nil, status: 75)
    #expect(
      run.errors.contains("600 items are not done, at most 600 allowed (pipe init --max-items)"),
      run.story)
  }

  @Test("enqueue --wait refuses at once an entry that can never fit")
  func neverFits() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--max-items", "3").expect("")
    let (small, large) = (#"{"ids":[1,2]}"#, #"{"ids":[3,4,5,6]}"#)
    let run = try scratch.pipe("enqueue", "--raw", "--wait", "10m", input: "\(small)\n\(large)\n")
    run.expect(
      nil,
      errors: "pipe enqueue: \(scratch.path)/queue: the entry is too large for this queue: "
        + "4 items, at most 3 allowed (pipe init --max-items); 1 line not stored\n", status: 78)
    #expect(run.lines.count == 1)
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("a queue is also full at max-bytes")
  func maxBytes() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--max-bytes", "1KiB").expect("")
    let large = "\"" + String(repeating: "x", count: 500) + "\""
    try scratch.store(large)
    let refused = try scratch.pipe("enqueue", "--raw", input: large)
    refused.expect("", errors: nil, status: 75)
    #expect(
      refused.errors.contains("bytes are not done, at most 1024 allowed (pipe init --max-bytes)"),
      refused.story)
    try scratch.pipe("consume").expect(large + "\n")
    try scratch.store(large)
  }

  @Test("enqueue --wait stores more than the queue can hold, a part at a time")
  func waitsForParts() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--max-items", "2").expect("")
    let lines = (1...9).map { "\($0)\n" }.joined()
    let consumer = try scratch.start("consume", "--follow", "--", "cat")
    let run = try scratch.pipe("enqueue", "--raw", "--wait", "10m", input: lines)
    run.expect()
    #expect(run.lines.count == 9)
    for number in 1...9 { #expect(consumer.line() == "\(number)") }
    consumer.signal(SIGTERM)
    consumer.finish().expect(lines)
  }

  @Test("enqueue --wait waits until a consumer makes room")
  func waits() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--max-items", "1").expect("")
    try scratch.store("1")
    let child = try scratch.start("enqueue", "--raw", "--wait", "10m")
    child.feed("2\n")
    child.endInput()
    try child.waitUntilWatching()
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    #expect(child.line() != nil)
    child.finish().expect()
    try scratch.pipe("consume").expect("2\n")
  }

  @Test("enqueue gives up when --wait is over")
  func waitIsOver() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--max-items", "1").expect("")
    try scratch.store("1")
    let run = try scratch.pipe("enqueue", "--raw", "--wait", "50ms", input: "2\n")
    run.expect("", errors: nil, status: 75)
  }

  @Test("enqueue stores the commits before the one that does not fit")
  func earlierCommits() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--max-items", "2").expect("")
    let child = try scratch.start("enqueue", "--raw")
    child.feed("1\n")
    #expect(child.line() != nil)
    child.feed("{\"ids\":[2,3]}\n")
    let run = child.finish()
    run.expect(errors: nil, status: 75)
    #expect(run.receipts.count == 1, run.story)
    try scratch.pipe("consume").expect("1\n")
  }
}
