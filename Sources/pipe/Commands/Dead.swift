internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeRender

struct Dead: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead", abstract: "Print dead letters: items no longer tried, and why."
  )

  @OptionGroup var queue: QueueOptions

  @Argument(help: "Entry ids; all dead letters if none.")
  var id: [String] = []

  func run() {
    Exit.perform("dead") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "dead")
      let queue = try queue.location.open(diagnostics)
      let output = Output()
      let print = { (letter: DeadLetter) throws(Fault) -> Bool in
        DeadLine.append(letter, to: output)
        if output.bytes.count > 1 << 16 { try output.flush() }
        return true
      }
      var status = Exit.fine
      if id.isEmpty { try queue.deadLetters(print) }
      for text in id {
        let letters = try EntryID(text).flatMap { (id) throws(Fault) in
          try queue.deadLetters(of: id)
        }
        for letter in letters ?? [] { _ = try print(letter) }
        if letters?.isEmpty ?? true {
          diagnostics.unknown(text, letters == nil ? nil : "has no dead letter", queue)
          status = Exit.someFailed
        }
      }
      try output.flush()
      return status
    }
  }
}
