internal import PipeIO
internal import PipeQueue
internal import PipeRender

/// Starts the command for a claim, with the items on stdin and the claim described in the
/// environment.
struct Launcher {
  private let command: Command
  private let envelope: Bool
  private let queuePath: String
  private let terminal: ControllingTerminal?

  /// `runsAlone`: one command at a time, without a time limit; it may have the terminal.
  init(_ queue: Queue, envelope: Bool, runsAlone: Bool) {
    terminal = runsAlone ? ControllingTerminal() : nil
    command = Command(
      varying: ["PIPE_QUEUE", "PIPE_CLAIM", "PIPE_ID", "PIPE_ATTEMPT", "PIPE_PRIORITY"])
    self.envelope = envelope
    queuePath = absolutePath(queue.path) ?? queue.path
  }

  var name: String { command.name }

  /// `lock`: the descriptor that holds the claims; the command holds them too while it runs.
  /// `errors`: its stderr.
  func start(
    _ claim: borrowing Claim, lock: Int32?, errors: Int32
  ) throws(Fault) -> Command.Start {
    let input = try MemoryFile()
    let bytes = envelope ? BatchLine.bytes(claim) : claim.bytes
    try bytes.withUnsafeBufferPointer { (all) throws(Fault) -> Void in
      try input.write(UnsafeRawBufferPointer(all))
    }
    input.rewind()
    let streams = WorkerStreams(input: input.number, errors: errors)
    return try start(streams, lock, settings(claim))
  }

  /// Starts the one worker for all batches.
  func start(_ streams: WorkerStreams, lock: Int32?) throws(Fault) -> Command.Start {
    try start(streams, lock, ["PIPE_QUEUE=" + queuePath])
  }

  private func start(
    _ streams: WorkerStreams, _ lock: Int32?, _ settings: [String]
  ) throws(Fault) -> Command.Start {
    try command.start(
      streams, keeping: lock, settings: settings, inForeground: terminal?.isOurs ?? false)
  }

  private func settings(_ claim: borrowing Claim) -> [String] {
    let first = claim.items[0]
    let common = [
      "PIPE_QUEUE=" + queuePath, "PIPE_CLAIM=" + claim.batch.text,
      "PIPE_ATTEMPT=" + String(claim.attempt), "PIPE_PRIORITY=" + first.priority.name,
    ]
    let isOfOneEntry = claim.items.allSatisfy { $0.entry == first.entry }
    return isOfOneEntry ? common + ["PIPE_ID=" + first.entry.text] : common
  }
}

extension Claim {
  /// The claim's name in messages.
  var label: String {
    guard let first = items.first else { return "claim \(batch.text)" }
    return items.count == 1
      ? "\(first.entry.text) item \(first.index)"
      : "claim \(batch.text) (\(items.count) items from \(first.entry.text) item \(first.index))"
  }
}
