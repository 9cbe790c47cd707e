internal import PipeIO
internal import PipeEngine

struct Fsck: Command {
  static let about = About("fsck", .repair, "Check every name and line of a queue.")

  @Group var queue: QueueOptions

  func run() {
    Exit.perform("fsck") { () throws(Fault) in
      let output = Output()
      let findings = Findings()
      let queue = try queue.location.open { text in
        // Repairs that opening the queue has made.
        output.append(printable(text) + "\n")
        findings.count += 1
      }
      try queue.check { finding in
        output.append(printable("\(finding.position): \(finding.text)") + "\n")
        findings.count += 1
      }
      try output.flush()
      return findings.count > 0 ? Exit.someFailed : Exit.fine
    }
  }

  private final class Findings { var count = 0 }
}
