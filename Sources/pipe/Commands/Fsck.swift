internal import PipeEngine
internal import PipeIO
internal import PipeRender
internal import PipeTime

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
      let report = FindingReport(isJSON: json, isQuiet: progress.quiet)
      do throws(Fault) { return try run(report) } catch {
        // A fault must not hide the findings before it.
        try? report.flush()
        throw error
      }
    }
  }

  private func run(_ report: FindingReport) throws(Fault) -> Int32 {
    if repair { try queue.location.restoreFormat { report.add(nil, $0, isRepair: true) } }
    let queue = try queue.location.open { report.add(nil, $0, isRepair: report.isRepairing) }
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

  init(isJSON: Bool, isQuiet: Bool) {
    self.isJSON = isJSON
    line = isQuiet ? nil : ProgressLine(interval: .milliseconds(200), sharesOutput: true)
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
