import TestSupport
import Testing

private let forms: [SchedulerForm] = [
  .ackPartly, .fail, .bury, .reap, .retryAll, .dropAll, .restoreRevived, .paced, .park, .restore,
  .cancelOne, .purgeAll, .retryCancelled, .changePriority,
]

@Suite("Power cuts during the scheduler on ext4", .serialized)
struct PowerCutSchedulerTests {
  @Test(
    "a power cut on ext4 leaves each item in one state, which is the reported one",
    .needsStrace, .needsDisks(.ext4), arguments: forms)
  func ext4(form: SchedulerForm) throws { try PowerCut.schedule(form, on: .ext4) }
}

@Suite("Power cuts during the scheduler on btrfs", .serialized)
struct BtrfsPowerCutSchedulerTests {
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
