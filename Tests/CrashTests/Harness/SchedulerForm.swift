import Foundation
import Testing

/// A way to use the scheduler that its crash tests go through.
struct SchedulerForm: CustomTestStringConvertible {
  let testDescription: String
  let verb: String
  /// How it ends when all goes well.
  var status: Int32 = 0
  /// Makes the queue as the command finds it.
  let prepare: @Sendable (TestQueue) throws -> Ledger
  let command: @Sendable (TestQueue) throws -> Command
  /// Runs the command, perhaps under strace, and says what it may have changed.
  var play: @Sendable (SchedulerForm, TestQueue, Command, inout Ledger) throws -> Finished = {
    form, _, command, ledger in
    let result = try command.run()
    ledger.conclude(isWhole: form.isWhole(result))
    return result
  }

  func isWhole(_ result: Finished) -> Bool { result.ending == .exited(status) }

  static let all = [
    ackWhole, ackPartly, ackRetry, ackBury, hold, batch, fail, bury, refuse, reap, retryOne,
    retryAll,
    dropOne, dropAll, restoreRevived, paced, park, restore, restoreDelayed,
  ]
}

// Settling what is held by the clock.
extension SchedulerForm {
  static let ackWhole = SchedulerForm(
    testDescription: "ack a claim in two lanes", verb: "ack",
    prepare: { queue in
      var ledger = try held(queue, [.record(1), .ids(2, count: 2, "MEDIUM"), .record(3, "HIGH")])
      ledger.plan(0..<4, .done, attempts: 1...1)
      return ledger
    },
    command: { .pipe("ack", "-q", $0.path, try heldBatch($0).claim) })

  static let ackRetry = SchedulerForm(
    testDescription: "ack --retry", verb: "ack",
    prepare: { queue in
      var ledger = try held(queue, [.record(1), .ids(2, count: 2, "LOW")])
      ledger.plan(0..<3, .ready, attempts: 1...1)
      return ledger
    },
    command: { .pipe("ack", "-q", $0.path, "--retry", try heldBatch($0).claim) })

  static let ackBury = SchedulerForm(
    testDescription: "ack --bury", verb: "ack",
    prepare: { queue in
      var ledger = try held(queue, [.record(1), .record(2, "HIGH")])
      ledger.plan(0..<2, .dead, attempts: 1...1)
      return ledger
    },
    command: { .pipe("ack", "-q", $0.path, "--bury", try heldBatch($0).claim) })

  /// The last one is left out, and given back.
  static let ackPartly = SchedulerForm(
    testDescription: "ack, each item in a way of its own", verb: "ack",
    prepare: { queue in
      var ledger = try held(queue, [.record(1), .ids(2, count: 4, "MEDIUM")])
      ledger.plan(0..<1, .done, attempts: 1...1)
      ledger.plan(1..<2, .ready, attempts: 1...1)
      ledger.plan(2..<3, .done, attempts: 1...1)
      ledger.plan(3..<4, .dead, attempts: 1...1)
      ledger.plan(4..<5, .ready, attempts: 0...1)
      return ledger
    },
    command: { queue in
      let batch = try heldBatch(queue)
      let results = zip(batch.items, ["ok", "retry", "ok", "bury"]).map { item, word in
        let (id, number) = (item.name.prefix(26), item.name.dropFirst(27))
        return #"{"id":"\#(id)","item":\#(number),"result":"\#(word)"}"#
      }
      let line = #"{"claim":"\#(batch.claim)","items":[\#(results.joined(separator: ","))]}"#
      return Command.pipe("ack", "-q", queue.path).given(line + "\n")
    })

  private static func held(_ queue: TestQueue, _ entries: [Entry]) throws -> Ledger {
    let ledger = try waiting(queue, entries)
    let file = queue.scratch.path("held")
    unlink(file)
    try Command.pipe("batch", "-q", queue.path, "--hold", "1h", "--size", "9").writing(to: file)
      .mustRun()
    return ledger
  }

  private static func heldBatch(_ queue: TestQueue) throws -> BatchLine {
    try BatchLine(queue.lines(of: queue.scratch.path("held")).first ?? "")
  }
}

// Handing out.
extension SchedulerForm {
  static let hold = SchedulerForm(
    testDescription: "batch --hold", verb: "batch",
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .ids(2, count: 2, "HIGH")])
      ledger.plan(0..<3, .ready, attempts: 0...1)
      return ledger
    },
    command: { .pipe("batch", "-q", $0.path, "--hold", "1h", "--size", "2") },
    play: { form, queue, command, ledger in
      let result = try command.run()
      ledger.conclude(isWhole: form.isWhole(result))
      // Whoever read the line may count on it.
      for line in result.lines { try acknowledge(line, queue, &ledger, mustHold: true) }
      return result
    })

  static let batch = SchedulerForm(
    testDescription: "batch | ack", verb: "batch",
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .ids(2, count: 2, "HIGH")])
      ledger.plan(0..<3, .ready, attempts: 0...1)
      return ledger
    },
    command: { .pipe("batch", "-q", $0.path, "--size", "2") },
    play: { form, queue, command, ledger in
      ledger.conclude(isWhole: true)
      let child = try command.start()
      while let line = try child.output.line() {
        try acknowledge(line, queue, &ledger, mustHold: false)
      }
      return child.finish()
    })

  private static func acknowledge(
    _ line: String, _ queue: TestQueue, _ ledger: inout Ledger, mustHold: Bool
  ) throws {
    let batch = try BatchLine(line)
    let ack = try Command.pipe("ack", "-q", queue.path, batch.claim).run()
    #expect(ack.ending == .exited(0) || ack.ending == .exited(76) && !mustHold, "\(ack)")
    let names = Set(batch.items.map(\.name))
    if ack.ending == .exited(0) { ledger.confirm(.done) { names.contains($0.name) } }
  }

  static let fail = SchedulerForm(
    testDescription: "consume, the command fails", verb: "consume", status: 1,
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .record(2, "LOW")])
      ledger.plan(0..<2, .ready, attempts: 0...1)
      return ledger
    },
    command: { running($0, "cat >>\"$ORACLE\"; exit 1") },
    play: { form, queue, command, ledger in
      unlink(queue.scratch.path("delivered"))
      let result = try command.run()
      ledger.conclude(isWhole: true)
      // An attempt that began is counted, and no other.
      ledger.countAttempts(of: queue.lines(of: queue.scratch.path("delivered")))
      return result
    })

  static let bury = SchedulerForm(
    testDescription: "consume, the command finds bad data", verb: "consume", status: 1,
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .ids(2, count: 2, "LOW")])
      ledger.plan(0..<3, .dead, attempts: 0...1)
      return ledger
    },
    command: { running($0, "echo bad >&2; exit 65", size: 2) })

  /// Of what was revived: given back it must not be done.
  static let refuse = SchedulerForm(
    testDescription: "consume, there is no such command, what was revived", verb: "consume",
    status: 69,
    prepare: { queue in
      var ledger = try dead(queue)
      try Command.pipe("retry", "-q", queue.path, "--all").mustRun()
      ledger.plan(0..<3, .ready, attempts: 0...1)
      return ledger
    },
    command: { Command.pipe("consume", "-q", $0.path, "--", "/nonexistent/command") },
    play: { form, _, command, ledger in
      let result = try command.run()
      if form.isWhole(result) { ledger.plan(0..<3, .ready, attempts: 0...0) }
      ledger.conclude(isWhole: true)
      return result
    })

  /// An item that kills its consumer, at its last attempt.
  static let reap = SchedulerForm(
    testDescription: "consume, a poison item is held by a dead consumer", verb: "consume",
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .record(2)], retries: 1)
      let killer = ["--", "sh", "-c", "kill -9 $PPID"]
      for _ in 0..<2 {
        let died = try Command([Binary.path, "consume", "-q", queue.path] + killer).run()
        guard died.ending == .killed(SIGKILL) else { throw Failure("\(died)") }
      }
      ledger.found(0..<1, .dead)
      return ledger
    },
    command: writing,
    play: delivering)

  static let paced = SchedulerForm(
    testDescription: "consume --every", verb: "consume",
    prepare: { try waiting($0, [.record(1), .record(2)]) },
    command: {
      $0.consuming("--every", "1h", "--size", "1", "-n", "1").writing(
        to: $0.scratch.path("delivered"))
    },
    play: { form, queue, command, ledger in
      let result = try delivering(form, queue, command, &ledger)
      guard !queue.lines(of: queue.scratch.path("delivered")).isEmpty else { return result }
      // Nobody takes another turn within the hour.
      let next = try Command.pipe(
        "batch", "-q", queue.path, "--dry-run", "--every", "1h", "-n", "1"
      )
      .run()
      let seconds = next.lines.first?.components(separatedBy: #""at":"#).last.flatMap {
        Double($0.prefix { $0.isNumber || $0 == "." })
      }
      #expect(next.lines.isEmpty || seconds ?? 0 > 3000, "\(result)\n\(next)")
      return result
    })

  fileprivate static let writing: @Sendable (TestQueue) throws -> Command = {
    $0.consuming().writing(to: $0.scratch.path("delivered"))
  }

  /// Plays a consumer that writes items to a file.
  fileprivate static let delivering:
    @Sendable (SchedulerForm, TestQueue, Command, inout Ledger) throws -> Finished = {
      form, queue, command, ledger in
      let file = queue.scratch.path("delivered")
      unlink(file)
      let result = try command.run()
      ledger.conclude(isWhole: true)
      ledger.deliver(queue.lines(of: file), isWhole: form.isWhole(result))
      return result
    }

  private static func running(_ queue: TestQueue, _ script: String, size: Int = 1) -> Command {
    Command(
      [Binary.path, "consume", "-q", queue.path, "--size", "\(size)", "--", "sh", "-c", script]
    ).with("ORACLE", queue.scratch.path("delivered"))
  }

  fileprivate static func waiting(
    _ queue: TestQueue, _ entries: [Entry], retries: Int = 5, backoff: String = "0s..0s"
  ) throws -> Ledger {
    try Command.pipe(
      "init", "-q", queue.path, "--slice", "1", "--backoff", backoff, "--retries", "\(retries)"
    ).mustRun()
    var ledger = Ledger()
    try ledger.store(entries, in: queue)
    return ledger
  }
}

// Dead letters and those who come back.
extension SchedulerForm {
  static let retryOne = treating("retry", one: true)
  static let retryAll = treating("retry", one: false)
  static let dropOne = treating("drop", one: true)
  static let dropAll = treating("drop", one: false)

  private static func treating(_ verb: String, one: Bool) -> SchedulerForm {
    let fate = verb == "retry" ? Fate.ready : .dropped
    return SchedulerForm(
      testDescription: verb + (one ? " of one entry" : " --all"), verb: verb,
      prepare: { queue in
        var ledger = try dead(queue)
        ledger.found(0..<3, .dead)
        ledger.plan(one ? 0..<2 : 0..<3, fate)
        return ledger
      },
      command: { queue in
        let ids = queue.lines(of: queue.scratch.path("dead"))
        return Command.pipe(verb, "-q", queue.path, one ? ids[0] : "--all")
      },
      play: { form, _, command, ledger in
        let result = try command.run()
        ledger.conclude(isWhole: form.isWhole(result))
        // Each line tells of an entry that is treated.
        ledger.confirm(fate) { item in
          result.lines.contains { $0.contains(#""id":"\#(item.name.prefix(26))""#) }
        }
        return result
      })
  }

  static let restoreRevived = SchedulerForm(
    testDescription: "consume what was revived", verb: "consume",
    prepare: { queue in
      let ledger = try dead(queue)
      try Command.pipe("retry", "-q", queue.path, "--all").mustRun()
      return ledger
    },
    command: writing,
    play: delivering)

  /// Three dead items of two entries, their ids in the file `dead`, and one that is done.
  private static func dead(_ queue: TestQueue) throws -> Ledger {
    var ledger = try waiting(queue, [.ids(1, count: 2, "MEDIUM"), .record(2, "HIGH")])
    try Command.pipe("consume", "-q", queue.path, "--", "sh", "-c", "exit 65").run()
    try ledger.ids().map { $0 + "\n" }.joined()
      .write(toFile: queue.scratch.path("dead"), atomically: true, encoding: .utf8)
    try ledger.store([.record(3)], in: queue)
    try Command.pipe("consume", "-q", queue.path, "-n", "1", "--", "true").mustRun()
    ledger.found(3..<4, .done)
    guard try queue.leftAside().count == 3 else { throw Failure("not three dead letters") }
    return ledger
  }
}

// More that waits than now/ holds.
extension SchedulerForm {
  static let park = SchedulerForm(
    testDescription: "consume, too many wait", verb: "consume",
    prepare: crowded,
    command: one,
    play: delivering)

  static let restore = SchedulerForm(
    testDescription: "consume what was parked", verb: "consume",
    prepare: { queue in
      let ledger = try crowded(queue)
      try one(queue).mustRun()
      guard try !queue.leftAside().isEmpty else { throw Failure("nothing was parked") }
      try queue.passTimeOfParked()
      var known = ledger
      known.found((2 * crowd)..<(2 * crowd + 1), .done)
      return known
    },
    command: one,
    play: delivering)

  /// Every second one has a delay, so that each has a name of its own, and more than now/ holds.
  static let restoreDelayed = SchedulerForm(
    testDescription: "consume what was parked with a delay", verb: "consume",
    prepare: { queue in
      var ledger = try waiting(queue, [])
      let due = Date(timeIntervalSinceNow: 6)
      let time = due.formatted(.iso8601)
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
        throw Failure("nothing was parked")
      }
      for index in 0..<crowd { ledger.found((2 * index + 1)..<(2 * index + 2), .done) }
      // Comes once it is due.
      let copy = try queue.copy(to: queue.scratch.path("due"))
      try copy.consuming("--follow", "-n", "1").mustRun()
      return ledger
    },
    command: one,
    play: delivering)

  /// Some more than may wait in now/.
  private static let crowd = 140

  private static let one: @Sendable (TestQueue) throws -> Command = {
    $0.consuming("--size", "1", "-n", "1").writing(to: $0.scratch.path("delivered"))
  }

  /// Every second item of a batch has failed and waits, the others are done; and one more is ready.
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

extension [Call] {
  /// Those that a queue can notice, or a child; of many that do the same with different names, the first
  /// two and the last.
  var thinned: [Call] {
    var like: [String: [Int]] = [:]
    for (index, call) in enumerated() where call.changesSomething || call.concernsChild {
      let shape = String(call.text.prefix { $0 != "=" }.filter { $0.isLowercase })
      like[shape, default: []].append(index)
    }
    let kept = like.values.flatMap { all -> Set<Int> in
      let last = all.count - 1
      return Set([0, 1, last].filter { (0...last).contains($0) }.map { all[$0] })
    }
    return kept.sorted().map { self[$0] }
  }
}

extension Call {
  var concernsChild: Bool {
    ["clone", "clone3", "vfork"].contains(name)
      || name == "openat" && text.contains("O_TRUNC")
  }
}
