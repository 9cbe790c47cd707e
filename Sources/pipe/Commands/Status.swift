internal import ArgumentParser
internal import PipeIO
internal import PipeQueue

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Tell what has become of entries.")

  @OptionGroup var queue: QueueOptions

  @Argument(help: "Ids as enqueue printed them.")
  var id: [String]

  func run() {
    Exit.perform("status") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "status")
      let queue = try queue.location.open(diagnostics)
      let output = Output()
      var result = Exit.fine
      for text in id {
        if let id = EntryID(text), let status = try queue.status(id) {
          StatusLine.append(status, to: output)
          continue
        }
        diagnostics.say(
          EntryID(text) == nil
            ? "\(printable(text)): not an id; enqueue prints them: 26 digits and capital letters"
            : "\(text): no such id in \(printable(queue.path))")
        result = Exit.someFailed
      }
      try output.flush()
      return result
    }
  }
}
