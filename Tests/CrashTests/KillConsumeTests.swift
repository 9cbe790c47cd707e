import Foundation
import TestSupport
import Testing

/// A way of using `consume` that the crash tests go through.
enum ConsumeForm: String, CaseIterable, CustomTestStringConvertible {
  case file = "to a file"
  case pipe = "to a pipe"
  case command = "a command for each item"
  case batches = "a command for each four items"

  var testDescription: String { rawValue }

  func command(_ queue: TestQueue, delivering file: String) -> Command {
    switch self {
    case .file: queue.consuming().writing(to: file)
    case .pipe: queue.consuming()
    case .command: queue.appending(to: file)
    case .batches: queue.appending(to: file, "--size", "4")
    }
  }

  /// Its deliveries. A line to a pipe that the death of the writer tore was never taken.
  func delivered(_ queue: TestQueue, _ file: String, _ result: Run) -> [String] {
    self == .pipe ? result.lines : queue.lines(of: file)
  }

  /// A queue with some waiting items; fewer if each costs the start of a command at every point.
  func prepare(_ queue: TestQueue, _ ledger: inout Ledger) throws {
    let few = [Entry.record(1), .ids(3, count: 2, "HIGH")]
    let entries = self == .command ? few : EnqueueForm.mixed + [.record(6, "HIGH")]
    let result = try queue.enqueue(entries)
    ledger.feed(entries, receipts: result.receipts)
    guard ledger.promised.count == entries.count else { throw Failure("\(result)") }
  }
}

@Suite("consume under kill -9", .serialized)
struct KillConsumeTests {
  @Test(
    "a consume killed at any system call delivers again what it held, and no more",
    .needsStrace, arguments: ConsumeForm.allCases)
  func kill(form: ConsumeForm) throws {
    let scratch = try Scratch(.memory)
    var prepared = Ledger()
    let original = TestQueue(scratch.path("original"), scratch)
    try form.prepare(original, &prepared)
    let file = scratch.path("delivered")
    var queue = try original.copy(to: scratch.path("queue"))
    let command = form.command(queue, delivering: file)
    let calls = try steadily(command) { traced in
      queue = try original.copy(to: queue.path)
      let dry = try traced.run()
      #expect(dry.ending == .exited(0), "\(dry)")
    }
    var visited = 0
    for call in calls {
      let result = try reaching(call, command) { killed in
        queue = try original.copy(to: queue.path)
        try? FileManager.default.removeItem(atPath: file)
        return try killed.run()
      }
      guard let result else { continue }
      visited += 1
      var ledger = prepared
      ledger.deliver(form.delivered(queue, file, result))
      ledger.held = try queue.heldItems()
      try ledger.settle(queue, after: "killed at \(call)\n\(result)")
    }
    #expect(visited == calls.count)
    print("visited: \(visited) kills of consume, \(form.testDescription)")
  }

  @Test(
    "a consume killed at any call after its reader left with four of ten items loses none",
    .needsStrace)
  func deserted() throws {
    let scratch = try Scratch(.memory)
    let entries = (0..<10).map { Entry.record($0) }
    let original = TestQueue(scratch.path("original"), scratch)
    var prepared = Ledger()
    prepared.feed(entries, receipts: try original.enqueue(entries).receipts)
    var queue = try original.copy(to: scratch.path("queue"))
    let command = queue.consuming("--size", "10")
    let desert: (Command) throws -> Run = { command in
      queue = try original.copy(to: queue.path)
      let child = try command.start()
      #expect(child.waitForOutput())
      child.output.take(atMost: Array(entries[..<4]).text.utf8.count)
      // It looks for more items before it waits; a reader that leaves earlier spares it that.
      try wait(until: { !child.isRunning || isTracedPolling(child) })
      child.closeOutput()
      return child.finish()
    }
    let calls = try steadily(command) { _ = try desert($0) }
    var visited = 0
    for call in calls {
      guard let result = try reaching(call, command, desert) else { continue }
      visited += 1
      var ledger = prepared
      ledger.deliver(result.lines)
      ledger.held = try queue.heldItems()
      // These claim the very items that were acknowledged.
      let again = try queue.consuming("--size", "4").run()
      #expect(again.ending == .exited(0), "killed at \(call)\n\(again)")
      ledger.deliver(again.lines)
      try ledger.settle(queue, after: "killed at \(call)\n\(result)")
    }
    #expect(visited == calls.count)
    print("visited: \(visited) kills of consume, its reader gone")
  }
}

/// Whether the process that strace runs sleeps in poll(2).
private func isTracedPolling(_ strace: Child) -> Bool {
  let tracer = "/proc/\(strace.process)"
  guard
    let children = try? String(
      contentsOfFile: "\(tracer)/task/\(strace.process)/children", encoding: .utf8),
    let traced = children.split(separator: " ").first,
    let place = try? String(contentsOfFile: "/proc/\(traced)/wchan", encoding: .utf8)
  else { return false }
  return place.contains("poll")
}
