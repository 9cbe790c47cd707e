internal import PipeIO
internal import PipeEngine
internal import PipeRender

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
