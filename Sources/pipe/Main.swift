internal import Glibc
internal import PipeEngine
internal import PipeIO
internal import PipeRender

@main
enum Main {
  static func main() {
    restoreEnvironment()
    occupyStandardDescriptors()
    ignoreFileSizeLimit()
    chooseLogFormat()
    #if !Postgres
      QueueLocation.runHelperIfNeeded()
    #endif
    let words = commandLine.dropFirst()
    guard let first = words.first, !["-h", "--help"].contains(first) else { show(help) }
    if let command = Commands.named(first) { run(command, words.dropFirst()) }
    Completion(commandLine)?.run()
    if let script = CompletionScript.requested(by: commandLine) { show(script) }
    if first == "--version" { show(programVersion + "\n") }
    let guidance = Guidance(Array(words), commands: Commands.all.map { $0.about.name })
    guard first == "help" else { refuse(guidance.textWithoutCommand, command: nil) }
    guard let name = words.dropFirst().first, !["-h", "--help", "help"].contains(name) else {
      show(help)
    }
    guard let command = Commands.named(name) else {
      refuse(guidance.unknown(name, before: "pipe help "), command: "help")
    }
    show(Help(command.about, Grammar.of(command).grammar).text)
  }

  private static func run(_ type: any Command.Type, _ words: ArraySlice<String>) -> Never {
    let (command, grammar) = Grammar.of(type)
    let name = type.about.name
    do throws(Mistake) {
      var parser = Parser(grammar, words)
      switch try parser.read() {
      case .run: command.run()
      case .help: show(Help(type.about, grammar).text)
      case .version: show(programVersion + "\n")
      }
    } catch {
      let guidance = Guidance(Array(commandLine.dropFirst()), commands: [])
      refuse(guidance.text(error, name), command: name)
    }
    exit(Exit.fine)
  }

  private static func refuse(_ text: String, command: String?) -> Never {
    Diagnostics(command: command).say(text, .error)
    exit(Exit.status(of: .usage))
  }

  private static func show(_ text: String) -> Never {
    Exit.perform("help") { () throws(Fault) in
      let output = Output()
      output.append(text)
      try output.flush()
      return Exit.fine
    }
  }

  private static var help: String {
    Help(
      "Durable queues for shell pipelines: a directory, no daemon.",
      example: """
        pipe ingest < requests.jsonl | pipe enqueue
        pipe consume -- ./handler
        pipe status ID
        """,
      Commands.all.map { $0.about }
    ).text
  }

  // Text for people, or JSON for programs that collect logs.
  private static func chooseLogFormat() {
    switch variable("PIPE_LOG_FORMAT") {
    case nil, "text": return
    case "json": Diagnostics.use(DiagnosticLine.json)
    case let other?:
      Diagnostics(command: nil).say(
        "PIPE_LOG_FORMAT: \(printable(other)) is not one of text, json", .error)
      exit(Exit.status(of: .settings))
    }
  }
}

/// The commands, in the order of `pipe --help`.
enum Commands {
  // It never changes, so that all threads may read it.
  nonisolated(unsafe) static let all: [any Command.Type] = [
    Ingest.self, Enqueue.self, Submit.self, Init.self,
    Consume.self, Work.self, Batch.self, Ack.self, Route.self,
    Status.self, Log.self, List.self, Explain.self, Stats.self, Top.self, Dead.self,
    Cancel.self, Purge.self, Change.self, Pause.self, Resume.self,
    Retry.self, Drop.self, Prune.self, Fsck.self, Doctor.self, Torture.self, Bench.self,
    Serve.self,
  ]

  /// nil: there is no command of this name.
  static func named(_ name: String) -> (any Command.Type)? { all.first { $0.about.name == name } }
}
