internal import Glibc
internal import PipeIO
internal import PipeQueue

/// Starts the command for a claim: the items on its stdin, the circumstances in its environment.
struct Launcher {
  private let command: [String]
  private let envelope: Bool
  private let queuePath: String

  init(_ queue: Queue, _ command: [String], envelope: Bool) {
    self.command = command
    self.envelope = envelope
    queuePath = Launcher.absolute(queue.path)
  }

  var name: String { command[0] }

  /// `lock`: the descriptor that holds the claims; the command holds them too while it runs.
  func start(_ claim: borrowing Claim, lock: Int32?) throws(Fault) -> Worker.Start {
    let input = try MemoryFile()
    let bytes = envelope ? BatchLine.bytes(claim) : claim.bytes
    try bytes.withUnsafeBufferPointer { (all) throws(Fault) -> Void in
      try input.write(UnsafeRawBufferPointer(all))
    }
    input.rewind()
    return Worker.start(command, input: input.number, keeping: lock, settings: settings(claim))
  }

  private func settings(_ claim: borrowing Claim) -> [(String, String?)] {
    let first = claim.items[0]
    let isOfOne = claim.items.allSatisfy { $0.entry == first.entry }
    return [
      ("PIPE_QUEUE", queuePath), ("PIPE_CLAIM", claim.batch.text),
      ("PIPE_ID", isOfOne ? first.entry.text : nil), ("PIPE_ATTEMPT", String(claim.attempt)),
      ("PIPE_PRIORITY", first.priority.name),
    ]
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
