/// The commands, in the order of `pipe --help`.
enum Commands {
  // It never changes, so that all threads may read it.
  nonisolated(unsafe) static let all: [any Command.Type] = [
    Ingest.self, Enqueue.self, Submit.self, Init.self,
    Consume.self, Work.self, Batch.self, Ack.self, Route.self,
    Status.self, Log.self, List.self, Explain.self, Stats.self, Top.self, Dead.self,
    Cancel.self, Purge.self, Change.self, Pause.self, Resume.self,
    Retry.self, Drop.self, Prune.self, Fsck.self, Doctor.self,
    Serve.self,
  ]

  /// nil: there is no command of this name.
  static func named(_ name: String) -> (any Command.Type)? { all.first { $0.about.name == name } }
}
