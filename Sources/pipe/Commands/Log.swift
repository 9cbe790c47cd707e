internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeRender

struct Log: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Print what commands printed, and how they ended.")

  @OptionGroup var queue: QueueOptions

  @Flag(help: "Print a JSON line for each attempt.")
  var json = false

  @Option(help: ArgumentHelp("Only this attempt; the last one by default.", valueName: "n"))
  var attempt: Count?

  @Flag(help: "Print only stdout.")
  var stdout = false

  @Flag(help: "Print only stderr.")
  var stderr = false

  @Argument(help: "Entry ids.")
  var id: [String]

  func validate() throws {
    if stdout, stderr { throw ValidationError("--stdout and --stderr exclude each other") }
    if json, stdout || stderr {
      throw ValidationError("--json has both streams: leave out --stdout and --stderr")
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
          let missing =
            attempt == nil
            ? "nothing is kept of it; consume --keep and work keep output"
            : "nothing is kept of attempt \(attempt!.value)"
          diagnostics.unknown(text, all == nil ? nil : missing, queue)
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
