internal import PipeIO
internal import PipeEngine
internal import PipeRender

struct Fsck: Command {
  static let about = About("fsck", .repair, "Check every name and line of a queue.")

  @Group var queue: QueueOptions

  @Flag("--json", help: "Print lines of JSON.")
  var json

  func run() {
    Exit.perform("fsck") { () throws(Fault) in
      let output = Output()
      let findings = Findings()
      // Repairs that opening the queue has made have no position.
      let print = { (position: String?, text: String) in
        let finding = FindingText(position: position, text: text)
        output.append(json ? finding.json : finding.line)
        findings.count += 1
      }
      let queue = try queue.location.open { print(nil, $0) }
      try queue.check { print($0.position, $0.text) }
      try output.flush()
      return findings.count > 0 ? Exit.someFailed : Exit.fine
    }
  }

  private final class Findings { var count = 0 }
}
