import TestSupport
import Testing

// Waiting items that a person changes.
extension SchedulerForm {
  static let cancelOne = SchedulerForm(
    testDescription: "cancel two entries of three", verb: "cancel",
    prepare: { queue in
      var ledger = try waiting(
        queue, [.ids(1, count: 3, "MEDIUM"), .record(2, "HIGH"), .record(3)])
      ledger.plan(0..<4, .dead)
      return ledger
    },
    command: { try ids(of: [0, 3], $0, "cancel", "--yes") },
    play: knowing)

  static let cancelFailed = SchedulerForm(
    testDescription: "cancel an entry that failed", verb: "cancel",
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .record(2)])
      try Command.pipe("consume", "-q", queue.path, "-n", "1", "--", "false").run()
      ledger.plan(0..<1, .dead, attempts: 1...1)
      return ledger
    },
    command: { try ids(of: [0], $0, "cancel") },
    play: knowing)

  static let purgeAll = SchedulerForm(
    testDescription: "purge --priority", verb: "purge",
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .ids(2, count: 2, "LOW"), .record(3)])
      ledger.plan(1..<3, .dropped)
      return ledger
    },
    command: { .pipe("purge", "-q", $0.path, "--priority", "low", "--yes") },
    play: knowing)

  // No consumer has reached the items: their letters are early.
  static let retryCancelled = SchedulerForm(
    testDescription: "retry of a cancelled entry", verb: "retry",
    prepare: { queue in
      var ledger = try waiting(queue, [.ids(1, count: 3, "MEDIUM"), .record(2)])
      try ids(of: [0], queue, "cancel").mustRun()
      ledger.found(0..<3, .dead)
      ledger.plan(0..<3, .ready)
      return ledger
    },
    command: { queue in
      let dead = try Command.pipe("dead", "-q", queue.path).run().objects()
      guard let id = dead.first?["id"] as? String else { throw Failure("nothing is cancelled") }
      return Command.pipe("retry", "-q", queue.path, id)
    },
    play: { form, _, command, ledger in
      let result = try command.run()
      ledger.conclude(isWhole: form.isWhole(result))
      return result
    })

  static let changeNow = SchedulerForm(
    testDescription: "change --now", verb: "change",
    prepare: { queue in
      var ledger = try waiting(queue, [.ids(1, count: 3, "MEDIUM"), .record(2)])
      ledger.plan(0..<4, .ready)
      return ledger
    },
    command: { try ids(of: [0], $0, "change", "--now") },
    play: knowing)

  // No consumer has reached the items, so their names in later/ are early.
  static let changeDelay = SchedulerForm(
    testDescription: "change --delay of two entries of three", verb: "change",
    prepare: { queue in
      var ledger = try waiting(
        queue, [.ids(1, count: 3, "MEDIUM"), .record(2), .record(3, "HIGH")])
      ledger.plan(0..<5, .ready)
      return ledger
    },
    command: { try ids(of: [0, 3], $0, "change", "--delay", "1h") },
    play: { form, queue, command, ledger in
      let result = try command.run()
      ledger.conclude(isWhole: form.isWhole(result))
      if form.isWhole(result) { #expect(try queue.markComplaints() == [], "\(result)") }
      return result
    })

  static let changePriority = SchedulerForm(
    testDescription: "change --priority of two entries of three", verb: "change",
    prepare: { queue in
      var ledger = try waiting(queue, [.ids(1, count: 3, "MEDIUM"), .record(2), .record(3)])
      ledger.plan(0..<5, .ready)
      return ledger
    },
    command: { try ids(of: [0, 3], $0, "change", "--priority", "high") },
    play: { form, queue, command, ledger in
      let result = try command.run()
      // Given again, the command completes what it began.
      if !form.isWhole(result) {
        let known = Array(command.arguments.suffix(2))
        try ids(of: [], queue, "change", "--priority", "high", known: known).mustRun()
      }
      ledger.conclude(isWhole: true)
      return result
    })

  static let pause = pausing(first: false)
  static let resume = pausing(first: true)

  private static func pausing(first isPaused: Bool) -> SchedulerForm {
    SchedulerForm(
      testDescription: isPaused ? "resume" : "pause", verb: isPaused ? "resume" : "pause",
      prepare: { queue in
        var ledger = try waiting(queue, [.record(1)])
        ledger.plan(0..<1, .ready)
        if isPaused { try Command.pipe("pause", "-q", queue.path).mustRun() }
        return ledger
      },
      command: { .pipe(isPaused ? "resume" : "pause", "-q", $0.path) },
      play: { form, queue, command, ledger in
        let result = try command.run()
        ledger.conclude(isWhole: form.isWhole(result))
        try Command.pipe("resume", "-q", queue.path).mustRun()
        return result
      })
  }

  /// Damage that costs no item: a lane end, a copy of the format and a directory are missing, a name in now/ has no
  /// meaning, and the letter of a cancelled item is gone.
  static let repair = SchedulerForm(
    testDescription: "fsck --repair", verb: "fsck", status: 1,
    prepare: { queue in
      var ledger = try waiting(queue, [.record(1), .record(2, "HIGH"), .record(3)])
      ledger.plan(0..<3, .ready)
      try ids(of: [0], queue, "cancel").mustRun()
      let damage = """
        cd \(queue.path); rm end/MEDIUM.* format.copy dead/*/*/*
        rm -r strays segments/LOW/000/000001; : > now/HIGH.0.1.0-9.1.9.done
        """
      try Command("sh", "-c", damage).mustRun()
      return ledger
    },
    command: { .pipe("fsck", "-q", $0.path, "--repair") },
    play: { form, queue, command, ledger in
      let result = try command.run()
      ledger.conclude(isWhole: true)
      let again = try Command.pipe("fsck", "-q", queue.path, "--repair").run()
      #expect([.exited(0), .exited(1)].contains(again.ending), "\(result)\n\(again)")
      let clean = try Command.pipe("fsck", "-q", queue.path).run()
      #expect(clean.ending == .exited(0), "\(result)\n\(again)\n\(clean)")
      return result
    })

  /// A command with the ids of entries, by the index of an item of each.
  private static func ids(
    of items: [Int], _ queue: TestQueue, _ verb: String, _ options: String...,
    known: [String]? = nil
  ) throws -> Command {
    if let known {
      var command = Command.pipe(verb, "-q", queue.path)
      command.arguments += options + known
      return command
    }
    let all = try Command.pipe("list", "-q", queue.path).run().objects().compactMap {
      $0["id"] as? String
    }
    let sorted = all.sorted()
    var command = Command.pipe(verb, "-q", queue.path)
    command.arguments += options + items.map { sorted[min($0, sorted.count - 1) > 0 ? 1 : 0] }
    return command
  }

  /// In the middle an item is a dead letter, which `purge` then drops.
  private static let knowing:
    @Sendable (SchedulerForm, TestQueue, Command, inout Ledger) throws -> Run = {
      form, _, command, ledger in
      let result = try command.run()
      ledger.conclude(isWhole: form.isWhole(result))
      if !form.isWhole(result) { ledger.tolerate(.dead) }
      return result
    }
}
