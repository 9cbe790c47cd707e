internal import Glibc
internal import PipeIO
internal import PipeQueue

/// Starts the command for a claim: the items on its stdin, the circumstances in its environment.
struct Launcher {
  private let command: Command
  private let envelope: Bool
  private let queuePath: String

  init(_ queue: Queue, envelope: Bool) {
    command = Command(
      varying: ["PIPE_QUEUE", "PIPE_CLAIM", "PIPE_ID", "PIPE_ATTEMPT", "PIPE_PRIORITY"])
    self.envelope = envelope
    queuePath = Launcher.absolute(queue.path)
  }

  var name: String { command.name }

  /// `lock`: the descriptor that holds the claims; the command holds them too while it runs.
  /// `errors`: what it has as stderr.
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
    return try command.start(streams, keeping: lock, settings: settings(claim))
  }

  /// The one that stays, for all batches.
  func start(_ streams: WorkerStreams, lock: Int32?) throws(Fault) -> Command.Start {
    try command.start(streams, keeping: lock, settings: ["PIPE_QUEUE=" + queuePath])
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

  private static func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

extension Claim {
  /// How messages call it.
  var label: String {
    guard let first = items.first else { return "claim \(batch.text)" }
    return items.count == 1
      ? "\(first.entry.text) item \(first.index)"
      : "claim \(batch.text) (\(items.count) items from \(first.entry.text) item \(first.index))"
  }
}
