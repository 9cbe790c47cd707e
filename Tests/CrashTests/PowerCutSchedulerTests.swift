import Testing

private let forms: [SchedulerForm] = [
  .ackPartly, .fail, .bury, .reap, .retryAll, .dropAll, .restoreRevived, .paced, .park, .restore,
]

@Suite("after a power cut in the midst of the scheduler's work", .serialized)
struct PowerCutSchedulerTests {
  @Test(
    "on ext4 an item is one thing, and what it was told to be", .needsStrace, .needsDisks(.ext4),
    arguments: forms)
  func ext4(form: SchedulerForm) throws { try PowerCut.schedule(form, on: .ext4) }
}

@Suite("after a power cut in the midst of the scheduler's work, too", .serialized)
struct BtrfsPowerCutSchedulerTests {
  @Test(
    "on btrfs an item is one thing, and what it was told to be", .needsStrace, .needsDisks(.btrfs),
    arguments: forms.filter(\.hasManyDirectories))
  func btrfs(form: SchedulerForm) throws { try PowerCut.schedule(form, on: .btrfs) }
}

@Suite("after a power cut in the midst of the scheduler's work, and on xfs", .serialized)
struct XFSPowerCutSchedulerTests {
  @Test(
    "on xfs an item is one thing, and what it was told to be", .needsStrace, .needsDisks(.xfs),
    arguments: [SchedulerForm.bury, .retryAll])
  func xfs(form: SchedulerForm) throws { try PowerCut.schedule(form, on: .xfs) }
}

extension SchedulerForm {
  /// Where ext4 flushes more than it is asked for.
  fileprivate var hasManyDirectories: Bool {
    ["ack", "consume, the command finds bad data", "retry", "consume what", "consume, too many"]
      .contains { testDescription.hasPrefix($0) }
  }
}
