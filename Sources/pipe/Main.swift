internal import ArgumentParser
internal import PipeIO

@main
enum Main {
  static func main() {
    occupyStandardDescriptors()
    if let job = Shortcut.enqueue(CommandLine.arguments) { Exit.perform("enqueue", job.run) }
    Root.main()
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
    subcommands: [
      Ingest.self, Enqueue.self, Consume.self, Status.self, List.self, Init.self,
    ])
}
