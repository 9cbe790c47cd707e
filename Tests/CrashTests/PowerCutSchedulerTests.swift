import Foundation
import TestSupport
import Testing

private let forms: [SchedulerForm] = [
  .ackPartly, .fail, .bury, .reap, .retryAll, .dropAll, .restoreRevived, .paced, .park, .restore,
  .cancelOne, .purgeAll, .retryCancelled, .changeDelay, .changePriority,
]

/// Forms that change later/, dead/ or register/.
private let formsAside: [SchedulerForm] = [
  .ackPartly, .bury, .reap, .retryAll, .restoreRevived, .cancelOne, .retryCancelled,
  .changeDelay, .changePriority,
]

@Suite("Power cuts during the scheduler on ext4", .serialized)
struct PowerCutSchedulerTests {
  @Test(
    "an item that was settled after a command died does not come back with a power cut on ext4",
    .needsStrace, .needsDisks(.ext4), arguments: [SchedulerForm.restoreRevived, .retryCancelled])
  func settledOnExt4(form: SchedulerForm) throws {
    try PowerCut.schedule(form, then: .consumed, on: .ext4)
  }

  @Test(
    "an item that was found without its name and settled does not come back with a power cut",
    .needsStrace, .needsDisks(.ext4))
  func unfiled() throws {
    let power = try PowerCut(.ext4) { queue, _ in
      _ = try SchedulerForm.dead(queue)
      for lane in try queue.names(in: "dead") {
        try FileManager.default.removeItem(atPath: "\(queue.path)/dead/\(lane)")
      }
    }
    let queue = power.queue
    let command = queue.consuming().writing(to: power.scratch.path("delivered"))
    // Those of the register, lane by lane.
    let flushes = [1, 2].map { Call(name: "fdatasync", ordinal: $0, text: "") }
    let run: (Command) throws -> Run = { command in
      let result = try command.run()
      let drained = try queue.drain().delivered
      #expect(drained.count == 3, "\(result)")
      return result
    }
    try power.cut(atEach: flushes, command, run) { result, call in
      let again = try queue.drain().delivered
      #expect(again.isEmpty, "power cut before \(call)\n\(result)")
    }
  }

  @Test(
    "a power cut on ext4 leaves each item in one state, which is the reported one",
    .needsStrace, .needsDisks(.ext4), arguments: forms)
  func ext4(form: SchedulerForm) throws { try PowerCut.schedule(form, on: .ext4) }
}

@Suite("Power cuts during the scheduler on btrfs", .serialized)
struct BtrfsPowerCutSchedulerTests {
  @Test(
    "an entry in a segment that a dead prune began is delivered after a power cut on btrfs",
    .needsStrace, .needsDisks(.btrfs))
  func rolled() throws {
    let power = try PowerCut(.btrfs) { queue, _ in
      try Command.pipe("init", "-q", queue.path, "--retain", "0s").mustRun()
      _ = try queue.enqueue([.record(1)])
      _ = try queue.drain()
    }
    let (queue, entry) = (power.queue, Entry.record(2))
    let command = Command.pipe("prune", "-q", queue.path)
    // Those of the new segment's directory and of the end that leads to it.
    let flushes = [1, 2].map { Call(name: "fsync", ordinal: $0, text: "") }
    let run: (Command) throws -> Run = { command in
      let result = try command.run()
      let stored = try queue.enqueue([entry])
      #expect(stored.receipts.count == 1, "\(stored)")
      return result
    }
    try power.cut(atEach: flushes, command, run) { result, call in
      let drained = try queue.drain().delivered
      #expect(drained == entry.items, "power cut before \(call)\n\(result)")
    }
  }

  @Test(
    "an item that was settled after a command died does not come back with a power cut on btrfs",
    .needsStrace, .needsDisks(.btrfs), arguments: formsAside)
  func settledOnBtrfs(form: SchedulerForm) throws {
    try PowerCut.schedule(form, then: .consumed, on: .btrfs)
  }

  @Test(
    "a power cut on btrfs leaves each item in one state, which is the reported one",
    .needsStrace, .needsDisks(.btrfs), arguments: forms.filter(\.hasManyDirectories))
  func btrfs(form: SchedulerForm) throws { try PowerCut.schedule(form, on: .btrfs) }
}

@Suite("Power cuts during the scheduler on xfs", .serialized)
struct XFSPowerCutSchedulerTests {
  @Test(
    "a power cut on xfs leaves each item in one state, which is the reported one",
    .needsStrace, .needsDisks(.xfs), arguments: [SchedulerForm.bury, .retryAll])
  func xfs(form: SchedulerForm) throws { try PowerCut.schedule(form, on: .xfs) }
}

extension SchedulerForm {
  /// Forms in which ext4 flushes more than it is asked to.
  fileprivate var hasManyDirectories: Bool {
    ["ack", "consume, the command finds bad data", "retry", "consume what", "consume, too many"]
      .contains { testDescription.hasPrefix($0) }
  }
}
