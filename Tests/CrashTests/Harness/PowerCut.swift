import Foundation
import TestSupport
import Testing

/// Cuts the power while a command works on a queue, at every call that a disk can notice.
struct PowerCut {
  let scratch: Scratch
  /// The disk before the command, unmounted.
  let base: Disk
  let queue: TestQueue
  private var prepared = Ledger()

  init(_ kind: Disk.Kind, prepare: (TestQueue, inout Ledger) throws -> Void) throws {
    scratch = try Scratch(.memory)
    base = try Disk(kind, in: scratch)
    // Its parent is created by pipe as well, and has to last, too.
    queue = TestQueue("\(base.path)/parent/queue", scratch)
    var ledger = Ledger()
    try base.mounted { try prepare(queue, &ledger) }
    prepared = ledger
  }

  /// Runs `run` on the disk, and gives `check` what a power cut right after it leaves.
  func cut(
    _ run: () throws -> Run, _ check: (Run) throws -> Void
  ) throws {
    let disk = try Disk(copying: base, to: "work.image")
    defer { disk.discard() }
    let (result, remains) = try disk.mounted {
      (try run(), try Disk(copying: disk, to: "cut.image"))
    }
    defer { remains.discard() }
    disk.unmount()
    try remains.mounted { try check(result) }
  }

  /// Cuts the power when `command` is killed at `call`, and tries again if it did not get that far:
  /// calls interleave a little differently each time. Returns whether it got there in ten times.
  private func cut(
    at call: Call, _ command: Command, _ run: (Command) throws -> Run,
    _ check: (Run) throws -> Void
  ) throws -> Bool {
    for _ in 0..<10 {
      var isReached = false
      try cut({ try run(command.killed(at: call)) }) { result in
        isReached = result.ending == .killed(9)
        try check(result)
      }
      if isReached { return true }
    }
    return false
  }

  /// The same at each of these calls, which the command must all reach.
  func cut(
    atEach calls: [Call], _ command: Command, _ run: (Command) throws -> Run,
    _ check: (Run, Call) throws -> Void
  ) throws {
    let missed = try calls.filter { call in
      try !cut(at: call, command, run) { try check($0, call) }
    }
    #expect(missed.isEmpty)
  }

  /// The calls of a complete run that change something on the disk.
  func calls(
    _ command: Command, status: Int32 = 0, _ run: (Command) throws -> Run
  ) throws -> [Call] {
    try steadily(command) { traced in
      let disk = try Disk(copying: base, to: "dry.image")
      defer { disk.discard() }
      let dry = try disk.mounted { try run(traced) }
      #expect(dry.ending == .exited(status), "\(dry)")
    }.filter(\.changesSomething)
  }

  /// Events between the death of a command and the power cut.
  enum Aftermath: String {
    case nothing
    /// A consumer takes everything and ends well.
    case consumed
    /// Another enqueue stores the same lines, and one more.
    case resent
  }

  func enqueue(_ form: EnqueueForm, then aftermath: Aftermath = .nothing) throws {
    let fed = try form.fed()
    let command = queue.enqueueing(raw: form.isRaw)
    let calls = try calls(command) { try form.drive($0, fed) }
    var visited = 0
    for call in calls {
      var ledger = prepared
      let run = {
        let result = try form.drive(command.killed(at: call), fed)
        visited += result.ending == .killed(9) ? 1 : 0
        ledger.feed(fed, receipts: result.receipts)
        try happen(aftermath, form, fed, &ledger)
        return result
      }
      try cut(run) { result in
        try ledger.settle(queue, after: "power cut before \(call), \(aftermath)\n\(result)")
      }
    }
    #expect(visited == calls.count)
    try cut({ try form.drive(command, fed) }) { result in
      var ledger = prepared
      ledger.feed(fed, receipts: result.receipts)
      #expect(result.receipts.count == fed.count)
      try ledger.settle(queue, after: "power cut after its end, and no traffic since\n\(result)")
    }
    let story = "\(form.testDescription), then \(aftermath)"
    print("visited: \(visited + 1) power cuts on \(base.kind), enqueue, \(story)")
  }

  private func happen(
    _ aftermath: Aftermath, _ form: EnqueueForm, _ fed: [Entry], _ ledger: inout Ledger
  ) throws {
    switch aftermath {
    case .nothing: return
    case .consumed: ledger.deliver(try queue.drain().delivered)
    case .resent:
      let more = EnqueueForm(testDescription: "", entries: [.record(700)], lines: form.lines)
      let all = fed + (try more.fed())
      let result = try queue.enqueue(all, raw: form.isRaw)
      #expect(result.receipts.count == all.count, "\(result)")
      ledger.feed(all, receipts: result.receipts)
    }
  }

  func consume(_ form: ConsumeForm) throws {
    let file = scratch.path("delivered")
    let command = form.command(queue, delivering: file)
    let run: (Command) throws -> Run = { command in
      try? FileManager.default.removeItem(atPath: file)
      return try command.run()
    }
    let judge: (Run, String) throws -> Void = { result, story in
      var ledger = prepared
      ledger.deliver(form.delivered(queue, file, result))
      // Acknowledgements are on disk when the process ends, some of them earlier.
      ledger.held = result.ending == .exited(0) ? 0 : ledger.delivered
      try ledger.settle(queue, after: "power cut \(story)\n\(result)")
    }
    let calls = try calls(command, run)
    try cut(atEach: calls, command, run) { try judge($0, "before \($1)") }
    try cut({ try run(command) }) { try judge($0, "after its end") }
    print(
      "visited: \(calls.count + 1) power cuts on \(base.kind), consume, \(form.testDescription)")
  }

  /// One entry, a power cut, and then only a consumer that follows.
  func loneEntry() throws {
    let entry = Entry.record(1)
    try cut({ try queue.enqueue([entry]) }) { _ in
      let result = try queue.consuming("--follow", "-n", "1").run()
      #expect(result.lines == entry.items, "\(result)")
    }
  }
}

extension PowerCut {
  /// Cuts the power during a command of the scheduler, or after it was killed and a consumer took everything
  /// that was ready.
  static func schedule(
    _ form: SchedulerForm, then aftermath: Aftermath = .nothing, on kind: Disk.Kind
  ) throws {
    var prepared = Ledger()
    let power = try PowerCut(kind) { queue, _ in prepared = try form.prepare(queue) }
    try power.schedule(form, prepared, then: aftermath)
  }

  private func schedule(
    _ form: SchedulerForm, _ prepared: Ledger, then aftermath: Aftermath
  ) throws {
    let command = try base.mounted { try form.command(queue) }
    var ledger = prepared
    let run: (Command) throws -> Run = { command in
      ledger = prepared
      let result = try form.play(form, queue, command, &ledger)
      if aftermath == .consumed, result.ending == .killed(9) {
        ledger.conclude(drained: try queue.drain().delivered)
      }
      return result
    }
    let calls = try calls(command, status: form.status, run).thinned
    try cut(atEach: calls, command, run) { result, call in
      ledger.forgiveAttempts()
      try ledger.settle(queue, after: "power cut before \(call), \(aftermath)\n\(result)")
    }
    if aftermath == .nothing {
      try cut({ try run(command) }) { result in
        #expect(form.isWhole(result), "\(result)")
        try ledger.settle(queue, after: "power cut after its end\n\(result)")
      }
    }
    let count = calls.count + (aftermath == .nothing ? 1 : 0)
    let story = "\(form.testDescription), then \(aftermath)"
    print("visited: \(count) power cuts on \(base.kind), \(story)")
  }
}
