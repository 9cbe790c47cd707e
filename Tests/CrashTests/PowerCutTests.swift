import TestSupport
import Testing

/// How a queue grows, step by step.
private let enqueueForms = [
  EnqueueForm(testDescription: "creation", entries: EnqueueForm.mixed, isExisting: false),
  EnqueueForm(testDescription: "one record", entries: [.record(1)]),
  EnqueueForm(
    testDescription: "all lanes, a commit each", entries: EnqueueForm.mixed, isOneByOne: true),
  EnqueueForm(
    testDescription: "a new segment", entries: [.record(1), .record(2), .record(3)],
    isOneByOne: true, ballast: 9),
  EnqueueForm(
    testDescription: "entry lines minted days ago", entries: EnqueueForm.mixed, lines: .strays),
]

/// Entries that one process stores before it dies, and others build upon.
private let sharedForms = [
  EnqueueForm(testDescription: "all lanes", entries: EnqueueForm.mixed, lines: .ingested),
  EnqueueForm(
    testDescription: "the last commit of a segment",
    entries: [.record(1, bytes: 500_000), .record(2)], lines: .ingested, ballast: 8),
]

@Suite("Power cuts on ext4", .serialized)
struct Ext4PowerCutTests {
  @Test(
    "after a power cut on ext4 all entries with a receipt are stored",
    .needsStrace, .needsDisks(.ext4), arguments: enqueueForms)
  func enqueue(form: EnqueueForm) throws {
    try PowerCut(.ext4, prepare: form.prepare).enqueue(form)
  }

  @Test(
    "after a power cut on ext4 nothing builds upon what a dead enqueue had not flushed",
    .needsStrace,
    .needsDisks(.ext4), arguments: sharedForms, [PowerCut.Aftermath.consumed, .resent])
  func others(form: EnqueueForm, aftermath: PowerCut.Aftermath) throws {
    try PowerCut(.ext4, prepare: form.prepare).enqueue(form, then: aftermath)
  }

  @Test(
    "after a power cut on ext4 items that consume had acknowledged at its end do not come again",
    .needsStrace, .needsDisks(.ext4), arguments: [ConsumeForm.file, .command, .batches])
  func consume(form: ConsumeForm) throws {
    try PowerCut(.ext4, prepare: form.prepare).consume(form)
  }

  @Test("after a power cut on ext4 a lone entry reaches a waiting consumer", .needsDisks(.ext4))
  func loneEntry() throws {
    try PowerCut(.ext4) { _, _ in }.loneEntry()
  }
}

@Suite("Power cuts on btrfs", .serialized)
struct BtrfsPowerCutTests {
  @Test(
    "after a power cut on btrfs all entries with a receipt are stored",
    .needsStrace, .needsDisks(.btrfs), arguments: enqueueForms)
  func enqueue(form: EnqueueForm) throws {
    try PowerCut(.btrfs, prepare: form.prepare).enqueue(form)
  }

  @Test(
    "after a power cut on btrfs nothing builds upon what a dead enqueue had not flushed",
    .needsStrace,
    .needsDisks(.btrfs), arguments: sharedForms, [PowerCut.Aftermath.consumed, .resent])
  func others(form: EnqueueForm, aftermath: PowerCut.Aftermath) throws {
    try PowerCut(.btrfs, prepare: form.prepare).enqueue(form, then: aftermath)
  }

  @Test(
    "after a power cut on btrfs items that consume had acknowledged at its end do not come again",
    .needsStrace, .needsDisks(.btrfs), arguments: [ConsumeForm.file, .command, .batches])
  func consume(form: ConsumeForm) throws {
    try PowerCut(.btrfs, prepare: form.prepare).consume(form)
  }

  @Test("after a power cut on btrfs a lone entry reaches a waiting consumer", .needsDisks(.btrfs))
  func loneEntry() throws {
    try PowerCut(.btrfs) { _, _ in }.loneEntry()
  }
}

@Suite("Power cuts on xfs", .serialized)
struct XFSPowerCutTests {
  @Test(
    "after a power cut on xfs all entries with a receipt are stored",
    .needsStrace, .needsDisks(.xfs), arguments: enqueueForms.prefix(3))
  func enqueue(form: EnqueueForm) throws {
    try PowerCut(.xfs, prepare: form.prepare).enqueue(form)
  }

  @Test(
    "after a power cut on xfs items that consume had acknowledged at its end do not come again",
    .needsStrace, .needsDisks(.xfs), arguments: [ConsumeForm.file])
  func consume(form: ConsumeForm) throws {
    try PowerCut(.xfs, prepare: form.prepare).consume(form)
  }

  @Test("after a power cut on xfs a lone entry reaches a waiting consumer", .needsDisks(.xfs))
  func loneEntry() throws {
    try PowerCut(.xfs) { _, _ in }.loneEntry()
  }
}
