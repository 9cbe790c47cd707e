internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeRender

struct Prune: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "Remove segments that need not be retained.")

  @OptionGroup var queue: QueueOptions

  @Flag(help: "Print one line of JSON.")
  var json = false

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
