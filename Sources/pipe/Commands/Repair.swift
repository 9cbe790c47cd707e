internal import PipeBench
internal import PipeEngine
internal import PipeIO
internal import PipeRender
internal import PipeText
internal import PipeTime
internal import PipeTorture

// What makes room, checks a queue, examines a machine, and tests and measures there.

struct Prune: Command {
  static let about = About("prune", .repair, "Remove segments that need not be retained.")

  @Group var queue: QueueOptions

  @Flag("--json", help: "Print one line of JSON.")
  var json

  func run() {
    Exit.perform("prune") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "prune")
      let queue = try queue.location.open(diagnostics)
      let pruned = try queue.prune()
      let output = Output()
      output.append(json ? PrunedText(pruned).json : PrunedText(pruned).text)
      try output.flush()
      for fault in pruned.faults { diagnostics.say(fault) }
      return pruned.faults.first.map { Exit.status(of: $0.kind) } ?? Exit.fine
    }
  }
}

struct Fsck: Command {
  static let about = About("fsck", .repair, "Check every name and line of a queue, or repair it.")

  @Group var queue: QueueOptions

  @Flag(
    "--repair",
    help: "Salvage what is intact, give up what is lost, and keep what is damaged in quarantine/.")
  var repair

  @Flag("--json", help: "Print lines of JSON.")
  var json

  @Group var progress: ProgressOptions

  func run() {
    Exit.perform("fsck") { () throws(Fault) in
      let report = FindingReport(isJSON: json, line: progress.line)
      do throws(Fault) { return try run(report) } catch {
        // A fault must not hide the findings before it.
        try? report.flush()
        throw error
      }
    }
  }

  private func run(_ report: FindingReport) throws(Fault) -> Int32 {
    if repair { try queue.location.restoreFormat { report.add(nil, $0, isRepair: true) } }
    let queue = try queue.location.open { text in
      if text.hasPrefix(Directory.waiting) {
        Diagnostics(command: "fsck").say(text)
      } else {
        report.add(nil, text, isRepair: report.isRepairing)
      }
    }
    try queue.check(hasRead: report.hasRead) { report.add($0.position, $0.text) }
    guard repair, report.count > 0 else { return try report.end(Exit.someFailed) }
    report.isRepairing = true
    try queue.repair { report.add($0.position, $0.text, isRepair: true) }
    var left = 0
    try queue.check(hasRead: report.hasRead) { finding in
      if finding.isLoss { return }
      left += 1
      report.add(finding.position, "not repaired: " + finding.text)
    }
    if left == 0 { return try report.end(Exit.someFailed) }
    Diagnostics(command: "fsck").say("not repaired: \(counted(left, "finding"))")
    return try report.end(Exit.data)
  }
}

/// The findings, printed as they come.
private final class FindingReport {
  private(set) var count = 0
  var isRepairing = false
  private let isJSON: Bool
  private let output = Output()
  private let line: ProgressLine?
  private let text = ProgressText("byte")
  private var bytes = 0

  init(isJSON: Bool, line: ProgressLine?) {
    self.isJSON = isJSON
    self.line = line
  }

  /// `position`: nil if the text has its own.
  func add(_ position: String?, _ text: String, isRepair: Bool = false) {
    let finding = FindingText(position: position, text: text, isRepair: isRepair)
    output.append(isJSON ? finding.json : finding.line)
    count += 1
  }

  func hasRead(_ count: Int) {
    bytes += count
    line?.update { text.line(bytes, share: nil) }
  }

  func flush() throws(Fault) { try output.flush() }

  /// `status`: if anything was found.
  func end(_ status: Int32) throws(Fault) -> Int32 {
    try output.flush()
    return count > 0 ? status : Exit.fine
  }
}

struct Doctor: Command {
  static let about = About(
    "doctor", .repair, "Say what this machine and disk mean for the promises.")

  @Option("-q", "--queue", value: "dir", "The queue; default $PIPE_QUEUE, or the user's own.")
  var queue: String?

  @Flag("--json", help: "Print lines of JSON.")
  var json

  @Arguments("directory", "Where a queue is or will be.")
  var directory: [String]

  func validate() throws(Mistake) {
    if directory.count > 1 { throw Mistake("give one directory") }
    if directory.contains("") || queue == "" { throw Mistake("the directory is empty; name one") }
    if queue != nil, !directory.isEmpty { throw Mistake("give -q or a directory, not both") }
  }

  func run() {
    Exit.perform("doctor") { () throws(Fault) in
      let named = directory.first ?? queue
      if QueueLocation.isAddress(named ?? variable("PIPE_QUEUE") ?? "") {
        throw Fault(.usage, "doctor examines a directory; for PostgreSQL see pipe-postgres(5)")
      }
      let place = try QueueLocation(path: named).noted()
      let examination = try Examination(place)
      let output = Output()
      var isSound = true
      for check in examination.checks(at: Clock.now()) {
        guard let diagnosis = check() else { continue }
        output.append(json ? DiagnosisText(diagnosis).json : DiagnosisText(diagnosis).line)
        isSound = isSound && diagnosis.level == .ok
        try output.flush()
      }
      return isSound ? Exit.fine : Exit.someFailed
    }
  }
}

struct Torture: Command {
  static let about = About(
    "torture", .repair, "Test the promises by kills, failing calls and simulated power cuts.")

  @Option("--minutes", value: "n", "Minutes to run, such as 10 or 0.5; 1 by default.")
  var minutes: MinutesArgument?

  @Option("--seed", value: "n", "Use the schedule of this seed.")
  var seed: Int?

  @Flag("--lie", help: "Report each flush as done, but flush nothing.")
  var lie

  @Flag("--json", help: "Print one line of JSON.")
  var json

  @Group var progress: ProgressOptions

  @Arguments("directory", "An existing directory, in which the test creates its own.")
  var directory: [String]

  func validate() throws(Mistake) {
    if directory.count != 1 || directory[0].isEmpty { throw Mistake("name a directory") }
  }

  func run() {
    Exit.perform("torture") { () throws(Fault) in
      let seed = UInt64(seed ?? .random(in: 0..<1_000_000))
      let torture = try PipeTorture.Torture(in: directory[0], seed: seed, isLying: lie)
      let line = progress.line
      let text = ProgressText("item")
      let span = minutes?.span ?? .minutes(1)
      let start = Clock.steady()
      do throws(Fault) {
        try torture.run(until: start + span) { tally in
          line?.update {
            let share = (Clock.steady() - start).seconds / span.seconds
            return text.line(
              tally.accepted, share: min(1, share), note: "\(tally.powerCuts) power cuts")
          }
        }
      } catch {
        // Without a verdict there is nothing to examine.
        try? torture.remove()
        throw error
      }
      if torture.tally.hasBrokenPromise {
        let place = printable(torture.directory)
        Diagnostics(command: "torture").say("\(place): kept for examination")
      } else {
        try torture.remove()
      }
      let verdict = VerdictText(torture.tally, seed: seed)
      let output = Output()
      output.append(json ? verdict.json : verdict.text)
      try output.flush()
      return torture.tally.provesPromises ? Exit.fine : Exit.someFailed
    }
  }
}

struct Bench: Command {
  static let about = About(
    "bench", .repair, "Measure what pipe reaches on a disk, in percent of the disk's limit.")

  @Option("--rounds", value: "n", "Measure this many times; 5 by default.")
  var rounds: Count?

  @Flag("--json", help: "Print lines of JSON.")
  var json

  @Group var progress: ProgressOptions

  @Arguments("directory", "Where the benchmark creates a directory of its own; here by default.")
  var directory: [String]

  func validate() throws(Mistake) {
    if directory.count > 1 { throw Mistake("give one directory") }
    if directory.contains("") { throw Mistake("the directory is empty; name one") }
  }

  func run() {
    Exit.perform("bench") { () throws(Fault) in
      let bench = try PipeBench.Bench(in: directory.first ?? ".")
      do throws(Fault) { try run(bench) } catch {
        try? bench.remove()
        throw error
      }
      try bench.remove()
      let text = BenchText(bench)
      let output = Output()
      output.append(json ? text.json : text.text)
      try output.flush()
      return Exit.fine
    }
  }

  private func run(_ bench: PipeBench.Bench) throws(Fault) {
    let line = progress.line
    let rounds = rounds?.value ?? 5
    for round in 1...rounds {
      let goesOn = try bench.round { work in
        line?.update { "round \(round) of \(rounds): \(work.rawValue)" }
      }
      if !goesOn { return }
    }
  }
}
