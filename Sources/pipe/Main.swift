internal import ArgumentParser
internal import Glibc
internal import PipeIntake
internal import PipeIO
internal import PipeRender

@main
enum Main {
  static func main() {
    restoreEnvironment()
    occupyStandardDescriptors()
    ignoreFileSizeLimit()
    chooseLogFormat()
    if let job = Shortcut.enqueue(commandLine) { Exit.perform("enqueue", job.run) }
    Completion(commandLine)?.run()
    if let script = CompletionScript.requested(by: commandLine) {
      print(script, terminator: "")
      exit(Exit.fine)
    }
    let names = Root.configuration.subcommands.map { $0._commandName }
    let guidance = Guidance(Array(commandLine.dropFirst()), commands: names)
    if let text = guidance.textOnHelp {
      Diagnostics(command: "help").say(text, .error)
      exit(Exit.status(of: .usage))
    }
    do {
      var command = try Root.parseAsRoot(Array(commandLine.dropFirst()))
      try command.run()
    } catch {
      let status = Root.exitCode(for: error)
      // Help and version are not mistakes; the parser prints them.
      if status == .success { Root.exit(withError: error) }
      Diagnostics(command: guidance.command).say(guidance.text(Root.message(for: error)), .error)
      Root.exit(withError: status)
    }
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

struct Root: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipe",
    abstract: "Durable queues for shell pipelines: a directory, no daemon.",
    discussion: """
      pipe ingest < requests.jsonl | pipe enqueue
      pipe consume -- ./handler
      pipe status ID
      """,
    version: programVersion,
    groupedSubcommands: [
      CommandGroup(
        name: "Put in", subcommands: [Ingest.self, Enqueue.self, Submit.self, Init.self]),
      CommandGroup(
        name: "Take out", subcommands: [Consume.self, Work.self, Batch.self, Ack.self, Route.self]),
      CommandGroup(
        name: "Look",
        subcommands: [
          Status.self, Log.self, List.self, Explain.self, Stats.self, Top.self, Dead.self,
        ]),
      CommandGroup(
        name: "Control",
        subcommands: [Cancel.self, Purge.self, Change.self, Pause.self, Resume.self]),
      CommandGroup(
        name: "Repair", subcommands: [Retry.self, Drop.self, Prune.self, Fsck.self]),
      CommandGroup(name: "Serve", subcommands: [Serve.self]),
    ])
}
