import Foundation
import TestSupport
import Testing

@Suite("Records of settled batches under kill -9", .serialized)
struct KillRecordingTests {
  @Test(
    "a consume killed at any call has recorded what it acknowledged, except the last item",
    .needsStrace, arguments: RecordingForm.allCases)
  func kill(form: RecordingForm) throws {
    let scratch = try Scratch(.memory)
    let original = TestQueue(scratch.path("original"), scratch)
    try form.prepare(original)
    // The records that were put there by hand.
    let extra = try Statistics(original).done - (try original.acknowledged())
    let queue = TestQueue(scratch.path("queue"), scratch)
    let copies = RestingCopies(original)
    let command = form.command(queue, delivering: scratch.path("delivered"))
    try copies.make(3)
    let calls = try steadily(command) { traced in
      try copies.take(queue)
      let dry = try traced.run()
      #expect(dry.ending == .exited(0), "\(dry)")
      #expect(try queue.names(in: "stats").sorted() == form.names)
      #expect(try Statistics(queue).done == extra + 8)
    }
    try copies.make(calls.count)
    var visited = 0
    for call in calls {
      let result = try reaching(call, command) { killed in
        try copies.take(queue)
        return try killed.run()
      }
      guard let result else { continue }
      visited += 1
      let recorded = try Statistics(queue).done - extra
      let acknowledged = try queue.acknowledged()
      #expect(acknowledged - 1...acknowledged ~= recorded, "killed at \(call)\n\(result)")
      try goOn(queue, from: recorded - acknowledged + extra, "killed at \(call)")
    }
    #expect(visited == calls.count)
    print("visited: \(visited) kills of consume, stats/ \(form.testDescription)")
  }

  /// Later items are recorded, and half-folded ones count once, even after their inputs are gone.
  private func goOn(_ queue: TestQueue, from difference: Int, _ story: String) throws {
    let drained = try queue.drain()
    #expect(drained.result.ending == .exited(0), "\(story)\n\(drained.result)")
    for number in 100...101 {
      try queue.ageFolded()
      try queue.padLog()
      try queue.store(number...number)
      let result = try queue.consuming().run()
      #expect(result.lines.count == 1 && result.errors.isEmpty, "\(story)\n\(result)")
    }
    let recorded = try Statistics(queue).done
    let expected = try queue.acknowledged() + difference
    #expect(recorded == expected, "\(story), and then")
  }
}

@Suite("Records of settled batches after a power cut", .serialized)
struct PowerCutRecordingTests {
  @Test(
    "records survive a power cut on ext4 while a log is closed and others are folded",
    .needsStrace, .needsDisks(.ext4))
  func fold() throws {
    let form = RecordingForm.full
    var before = 0
    let power = try PowerCut(.ext4) { queue, _ in
      try form.prepare(queue)
      before = try Statistics(queue).done
      try queue.waitUntilStatsRest()
    }
    let queue = power.queue
    let file = power.scratch.path("delivered")
    let command = form.command(queue, delivering: file)
    let calls = try power.calls(command) { traced in
      let result = try traced.run()
      #expect(try queue.names(in: "stats").sorted() == form.names)
      return result
    }
    try power.cut(atEach: calls, command, { try $0.run() }) { result, call in
      try check(queue, before, "power cut before \(call)\n\(result)")
    }
    try power.cut({ try command.run() }) { try check(queue, before, "after its end\n\($0)") }
    print("visited: \(calls.count + 1) power cuts on ext4, consume that folds")
  }

  /// At once, and after later folders have removed inputs that they believe to be elsewhere.
  private func check(_ queue: TestQueue, _ before: Int, _ story: String) throws {
    let all = before...(before + RecordingForm.waiting)
    let found = try Statistics(queue).done
    #expect(all ~= found, "\(story)")
    for number in 100...102 {
      try queue.ageFolded()
      try queue.padLog()
      try queue.store(number...number)
      try queue.consumeSome(1)
    }
    // Earlier waiting items may come again before these.
    let later = try Statistics(queue).done
    let names = try queue.names(in: "stats").sorted()
    #expect(later == found + 3, "\(story)\nand then: \(names)")
  }
}
