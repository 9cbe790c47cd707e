internal import PipeIO
internal import PipeEngine
internal import PipeRender

struct Log: Command {
  static let about = About("log", .look, "Print what commands printed, and how they ended.")

  @Group var queue: QueueOptions

  @Flag("--json", help: "Print a JSON line for each attempt.")
  var json

  @Option("--attempt", value: "n", "Only this attempt; the last one by default.")
  var attempt: Count?

  @Flag("--stdout", help: "Print only stdout.")
  var stdout

  @Flag("--stderr", help: "Print only stderr.")
  var stderr

  @Arguments("id", isRequired: true, "Entry ids.")
  var id: [String]

  func validate() throws(Mistake) {
    if stdout, stderr { throw Mistake("--stdout and --stderr exclude each other") }
    if json, stdout || stderr {
      throw Mistake("--json has both streams: leave out --stdout and --stderr")
    }
  }

  /// Why there is no output of an entry.
  private func missing(_ text: String, _ queue: Queue) throws(Fault) -> String {
    if let attempt { return "nothing is kept of attempt \(attempt.value)" }
    switch try EntryID(text).flatMap({ (id) throws(Fault) in try queue.status(id) })?.word {
    case .yetToStart: return "it has not run yet; see pipe explain"
    case .triggered: return "its output is kept when an attempt ends; see pipe explain"
    default: return "nothing is kept of it; consume --keep and work keep output"
    }
  }

  func run() {
    Exit.perform("log") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "log")
      let queue = try queue.location.open(diagnostics)
      let output = Output()
      var status = Exit.fine
      for text in id {
        let all = try EntryID(text).flatMap { (id) throws(Fault) in try queue.outputs(of: id) }
        let found = OutputText.chosen(all ?? [], attempt: attempt?.value, every: json)
        if found.isEmpty {
          diagnostics.unknown(text, all == nil ? nil : try missing(text, queue), in: queue.path)
          status = Exit.someFailed
        }
        for (items, attempt) in found {
          if json {
            OutputText.appendLine(text, items, attempt, to: output)
          } else {
            if !stderr { OutputText.append(attempt.stdout, to: output) }
            if !stdout { OutputText.append(attempt.stderr, to: output) }
            try output.flush()
            if !stdout, !stderr {
              diagnostics.say(OutputText.ending(text, items, attempt), .info, id: text)
            }
          }
        }
        try output.flush()
      }
      return status
    }
  }
}
