internal import ArgumentParser
internal import PipeIntake
internal import PipeIO

@main
enum Main {
  static func main() {
    restoreEnvironment()
    occupyStandardDescriptors()
    ignoreFileSizeLimit()
    if let job = Shortcut.enqueue(commandLine) { Exit.perform("enqueue", job.run) }
    do {
      var command = try Root.parseAsRoot(Array(commandLine.dropFirst()))
      try command.run()
    } catch {
      let status = Root.exitCode(for: error)
      // Help and version are not mistakes; the parser prints them.
      if status == .success { Root.exit(withError: error) }
      complain("\(commandName): \(printable(Root.message(for: error))) (\(wayOut(error)))")
      Root.exit(withError: status)
    }
  }

  // Advice for a mistake: the fix of a common one, otherwise --help.
  private static func wayOut(_ error: any Error) -> String {
    if Root.message(for: error).contains("<duration") {
      return "a duration needs a unit: 500ms 5s 10m 2h 7d"
    }
    return commandName == "pipe consume"
      && Root.message(for: error).hasPrefix("Unexpected argument")
      ? "a command goes after --: pipe consume -- CMD" : "see \(commandName) --help"
  }

  private static var commandName: String {
    let names = Root.configuration.subcommands.map { $0._commandName }
    guard commandLine.count > 1, names.contains(commandLine[1]) else {
      return "pipe"
    }
    return "pipe " + commandLine[1]
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
    version: "0.1.0",
    groupedSubcommands: [
      CommandGroup(name: "Put in", subcommands: [Ingest.self, Enqueue.self, Init.self]),
      CommandGroup(
        name: "Take out", subcommands: [Consume.self, Batch.self, Ack.self, Route.self]),
      CommandGroup(
        name: "Look",
        subcommands: [Status.self, List.self, Explain.self, Stats.self, Dead.self]),
      CommandGroup(
        name: "Repair", subcommands: [Retry.self, Drop.self, Prune.self, Fsck.self]),
      CommandGroup(name: "Serve", subcommands: [Serve.self]),
    ])
}
