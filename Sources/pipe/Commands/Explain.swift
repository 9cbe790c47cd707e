internal import PipeIO
internal import PipeEngine
internal import PipeRender
internal import PipeTime

struct Explain: Command {
  static let about = About("explain", .look, "Explain why an entry has not run, and when it will.")

  @Group var queue: QueueOptions

  @Flag("--json", help: "Print one JSON object instead of a paragraph.")
  var json

  @Arguments(one: "id", "The id of the entry.")
  var id: String

  func run() {
    Exit.perform("explain") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "explain")
      let queue = try queue.location.open(diagnostics)
      let found = try EntryID(id).flatMap { (id) throws(Fault) in try queue.explain(id) }
      guard let found else {
        diagnostics.unknown(id, nil, in: queue.path)
        return Exit.someFailed
      }
      let output = Output()
      let now = Clock.now()
      if json {
        ExplanationLine.append(found, at: now, to: output)
      } else {
        output.append(ExplanationText(found, at: now).paragraph + "\n")
      }
      try output.flush()
      return Exit.fine
    }
  }
}
