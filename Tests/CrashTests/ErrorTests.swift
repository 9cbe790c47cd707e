import Foundation
import TestSupport
import Testing

/// Expects the status and stderr of the manual after any error, and neither after an interruption.
private func judge(
  _ result: Run, _ verb: String, _ call: Call, _ injection: Injection
) {
  let story: Comment = "\(injection.outcome) at \(call)\n\(result)"
  guard case .exited(let status) = result.ending else {
    Issue.record(story)
    return
  }
  #expect(documented.contains(status), story)
  // Statistics that cannot be kept are reported in a line of their own, and change nothing else.
  let all = completeLines(Array(result.errors.utf8))
  let lines = all.filter { !$0.contains("statistics") }
  #expect(all.count - lines.count <= 1, story)
  if status == 0 {
    #expect(lines.isEmpty, story)
  } else if call.name != "write" || !lines.isEmpty {
    // A failed write cannot be reported; every other error is reported in one line.
    #expect(lines.count == 1 && lines[0].hasPrefix("pipe \(verb): "), story)
  }
  if injection.isInterruption { #expect(status == 0, story) }
}

@Suite("Errors of enqueue", .serialized)
struct EnqueueErrorTests {
  static let forms = [
    EnqueueForm(testDescription: "queue new", entries: [.record(1)], isExisting: false),
    EnqueueForm(testDescription: "all lanes and an id request", entries: EnqueueForm.mixed),
    EnqueueForm(
      testDescription: "entry lines minted days ago", entries: EnqueueForm.mixed, lines: .strays),
  ]

  @Test(
    "an error of any system call of enqueue is reported by line and status, and loses nothing",
    .needsStrace, arguments: forms)
  func errors(form: EnqueueForm) throws {
    let scratch = try Scratch(.memory)
    let fed = try form.fed()
    var prepared = Ledger()
    let original = TestQueue(scratch.path("original"), scratch)
    try form.prepare(original, &prepared)
    let queue = TestQueue(scratch.path("queue"), scratch)
    let command = queue.enqueueing(raw: form.isRaw)
    try form.reset(queue, to: original)
    let calls = try recorded(command) { _ = try form.drive($0, fed) }.sampled
    var visited = 0
    for call in calls where call.canFail {
      for injection in Injection.all {
        try form.reset(queue, to: original)
        let result = try form.drive(injection.apply(to: command, at: call), fed)
        judge(result, "enqueue", call, injection)
        let isWhole = result.ending != .exited(0) || result.receipts.count == fed.count
        #expect(isWhole, "status 0, not all stored: \(injection.outcome) at \(call)\n\(result)")
        var ledger = prepared
        ledger.feed(fed, receipts: result.receipts)
        try ledger.settle(queue, after: "\(injection.outcome) at \(call)\n\(result)")
        visited += 1
      }
    }
    print("visited: \(visited) errors of enqueue, \(form.testDescription)")
  }

  // The kernel forgets what it could not flush: without another write the next flush would succeed, and
  // its receipts would be wrong after a power cut.
  @Test(
    "a failed flush writes the lines again that a dead writer had not flushed", .needsStrace)
  func deadWritersLines() throws {
    let scratch = try Scratch(.memory)
    let queue = TestQueue(scratch.path("queue"), scratch)
    try queue.enqueue([.record(1)])
    let lines = try Command.pipe("ingest").given([Entry.record(2), .record(3)].text).mustRun().lines
    let command = queue.enqueueing(raw: false).given(lines.joined(separator: "\n") + "\n")
    let killed = try command.traced("-e", "inject=fdatasync:signal=KILL:when=1").run()
    #expect(killed.ending == .killed(9), "\(killed)")
    let trace = scratch.path("trace")
    let failed = try command.traced(
      into: trace, "-e", "inject=fdatasync:error=EIO:when=1", "-e", "trace=fdatasync,pwrite64"
    ).run()
    #expect(failed.ending == .exited(74), "\(failed)")
    // The second process finds the lines, and writes none of its own.
    let calls = completeLines(Array(try Data(contentsOf: URL(fileURLWithPath: trace))))
    let flush = try #require(calls.firstIndex { $0.hasPrefix("fdatasync") && $0.contains("EIO") })
    // {"id":"01M8…
    let id = lines[0].dropFirst(7).prefix(26)
    let writes = calls.map { $0.hasPrefix("pwrite64") && $0.contains(id) }
    #expect(!writes[..<flush].contains(true) && writes[flush...].count { $0 } == 1, "\(calls)")
    let again = try command.run()
    #expect(again.ending == .exited(0) && again.receipts.count == 2, "\(again)")
  }

  // Swift's runtime looks for the arguments on the stack, and for the stack in that file. If it
  // cannot read the file there are no arguments: the program would print its usage, exit with 0 and
  // drop its input.
  @Test("enqueue does its work even if /proc/self/maps cannot be read", .needsStrace)
  func unreadableMaps() throws {
    let scratch = try Scratch(.memory)
    let queue = TestQueue(scratch.path("queue"), scratch)
    var command = queue.enqueueing().failing("openat", "error=ENFILE", when: "1+")
    command.arguments.insert(contentsOf: ["-P", "/proc/self/maps"], at: 1)
    let result = try command.given(Entry.record(1).line + "\n").run()
    #expect(result.ending == .exited(0) && result.receipts.count == 1, "\(result)")
  }
}

@Suite("Errors of consume", .serialized)
struct ConsumeErrorTests {
  @Test(
    "an error of any system call of consume is reported by line and status, and loses nothing",
    .needsStrace, arguments: [ConsumeForm.file, .pipe, .command])
  func errors(form: ConsumeForm) throws {
    let scratch = try Scratch(.memory)
    var prepared = Ledger()
    let original = TestQueue(scratch.path("original"), scratch)
    try form.prepare(original, &prepared)
    let file = scratch.path("delivered")
    var queue = try original.copy(to: scratch.path("queue"))
    let command = form.command(queue, delivering: file)
    let calls = try recorded(command) { _ = try $0.run() }.sampled
    var visited = 0
    for call in calls where call.canFail {
      for injection in Injection.all {
        queue = try original.copy(to: queue.path)
        try? FileManager.default.removeItem(atPath: file)
        let result = try injection.apply(to: command, at: call).run()
        judge(result, "consume", call, injection)
        var ledger = prepared
        ledger.deliver(form.delivered(queue, file, result))
        let isFine = result.ending == .exited(0)
        ledger.held = isFine ? 0 : ledger.delivered
        let isWhole = !isFine || ledger.lost.isEmpty
        #expect(isWhole, "status 0, not all delivered: \(injection.outcome) at \(call)\n\(result)")
        try ledger.settle(queue, after: "\(injection.outcome) at \(call)\n\(result)")
        visited += 1
      }
    }
    print("visited: \(visited) errors of consume, \(form.testDescription)")
  }
}
