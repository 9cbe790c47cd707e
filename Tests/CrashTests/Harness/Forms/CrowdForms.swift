import Foundation
import TestSupport
import Testing

// More waiting items than now/ holds.
extension SchedulerForm {
  static let park = SchedulerForm(
    testDescription: "consume, too many wait", verb: "consume",
    prepare: crowded,
    command: one,
    play: { form, queue, command, ledger in
      let result = try delivering(form, queue, command, &ledger)
      if form.isWhole(result) { #expect(try queue.markComplaints() == [], "\(result)") }
      return result
    })

  static let restore = SchedulerForm(
    testDescription: "consume what was parked", verb: "consume",
    prepare: { queue in
      let ledger = try crowded(queue)
      try one(queue).mustRun()
      guard try !queue.leftAside().isEmpty else { throw Failure("nothing was parked") }
      try makeDue(queue.path, [.parked])
      var known = ledger
      known.found((2 * crowd)..<(2 * crowd + 1), .done)
      return known
    },
    command: one,
    play: delivering)

  /// Every second entry has a delay, so each has its own name; there are more than now/ holds.
  static let restoreDelayed = SchedulerForm(
    testDescription: "consume what was parked with a delay", verb: "consume",
    prepare: { try delayed($0) },
    command: one,
    play: delivering)

  /// Somewhat more than may wait in now/.
  private static let crowd = 140

  private static func delayed(_ queue: TestQueue, seconds: Double = 6) throws -> Ledger {
    var ledger = try waiting(queue, [])
    let time = Date(timeIntervalSinceNow: seconds).formatted(.iso8601)
    let entries = (0..<(2 * crowd)).map { Entry.record($0) }
    let lines = try Command.pipe("ingest").given(entries.text).mustRun().lines
    let delayed = lines.enumerated().map { index, line in
      let data = #","data":"#
      let parts = line.components(separatedBy: data)
      let option = index % 2 == 0 ? #","not_before":"\#(time)""# : ""
      return parts[0] + option + data + parts[1...].joined(separator: data) + "\n"
    }
    try ledger.store(entries, in: queue, lines: delayed.joined())
    let early = try queue.drain().delivered.count
    guard early == crowd, try !queue.leftAside().isEmpty else {
      // Too slow: they were due already.
      guard seconds < 300 else { throw Failure("nothing was parked") }
      try FileManager.default.removeItem(atPath: queue.path)
      return try self.delayed(queue, seconds: 2 * seconds)
    }
    for index in 0..<crowd { ledger.found((2 * index + 1)..<(2 * index + 2), .done) }
    // An item comes once it is due.
    let copy = try queue.copy(to: queue.scratch.path("due"))
    try copy.consuming("--follow", "-n", "1").mustRun()
    return ledger
  }

  private static let one: @Sendable (TestQueue) throws -> Command = {
    $0.consuming("--size", "1", "-n", "1").writing(to: $0.scratch.path("delivered"))
  }

  /// Every second item of a batch has failed and waits, the others are done, and one more is ready.
  private static let crowded: @Sendable (TestQueue) throws -> Ledger = { queue in
    var ledger = try waiting(queue, [.ids(1, count: 2 * crowd, "HIGH")], backoff: "1h..1h")
    let held = Command.pipe("batch", "-q", queue.path, "--hold", "1h", "--size", "\(2 * crowd)")
    let batch = try BatchLine(try held.mustRun().lines.first ?? "")
    let results = (1...(2 * crowd)).map { number in
      let word = number % 2 == 1 ? "retry" : "ok"
      return #"{"id":"\#(ledger.ids()[0])","item":\#(number),"result":"\#(word)"}"#
    }
    let line = #"{"claim":"\#(batch.claim)","items":[\#(results.joined(separator: ","))]}"#
    try Command.pipe("ack", "-q", queue.path).given(line + "\n").mustRun()
    ledger.plan(0..<(2 * crowd), .ready, attempts: 1...1)
    for index in 0..<crowd { ledger.found((2 * index + 1)..<(2 * index + 2), .done) }
    try ledger.store([.record(1)], in: queue)
    return ledger
  }
}
