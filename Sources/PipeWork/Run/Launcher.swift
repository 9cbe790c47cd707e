internal import Glibc
internal import PipeIO
internal import PipeEngine
internal import PipeRender

/// What a command gets of its batch.
package enum CommandInput {
  case stdin(ItemForm)
  /// The items as arguments; its stdin is /dev/null.
  case arguments(ArgumentTemplate)
  /// Each item is a command of its own, stored by `submit`; its stdin is /dev/null.
  case jobs
}

/// Starts the command for a claim, with the claim described in the environment.
struct Launcher {
  private let command: Command
  private let input: CommandInput
  private let null: Descriptor?
  /// Whether each item is a command: one that cannot run says nothing about the others.
  let isOfJobs: Bool
  /// Items that one command can get, and their bytes.
  let most: (items: Int, bytes: Int)
  private let queuePath: String
  private let terminal: ControllingTerminal?

  /// `runsAlone`: one command at a time, without a time limit; it may have the terminal.
  init(_ queue: Queue, _ input: CommandInput, runsAlone: Bool) throws(Fault) {
    isOfJobs = if case .jobs = input { true } else { false }
    terminal = runsAlone ? ControllingTerminal() : nil
    command = Command(
      varying: [
        "PIPE_QUEUE", "PIPE_CLAIM", "PIPE_ID", "PIPE_KEY", "PIPE_ATTEMPT", "PIPE_PRIORITY",
      ], takesWords: !isOfJobs)
    self.input = input
    null = if case .stdin = input { nil } else { try Launcher.openNull() }
    most = Launcher.most(command, input)
    queuePath = absolutePath(queue.path) ?? queue.path
  }

  private static func openNull() throws(Fault) -> Descriptor {
    let fd = openFile("/dev/null", O_RDONLY)
    if fd < 0 { throw Fault("open", "/dev/null") }
    return Descriptor(owning: fd, path: "/dev/null")
  }

  var name: String { command.name }

  private static func most(_ command: Command, _ input: CommandInput) -> (items: Int, bytes: Int) {
    guard case .arguments = input else { return (Limits.mostItems, Limits.mostBytes) }
    // Half is for the data, which are at least as long as JSON; each item also takes a pointer.
    let room = command.roomForWords / 2
    return (max(1, room / 16), max(1, min(Limits.mostBytes, room)))
  }

  /// What a claim adds to the command.
  enum Addition {
    case nothing
    case words(SystemWords)
    case job(Job)
    /// The items, by index, that the command cannot get, with the reason.
    case unfit([Int: String])
  }

  func addition(_ claim: borrowing Claim) -> Addition {
    let items = claim.items
    return claim.bytes.withUnsafeBytes { all in
      let data = items.map { UnsafeRawBufferPointer(rebasing: all[$0.data]) }
      switch input {
      case .stdin: return .nothing
      case .arguments(let template):
        let (words, unfit) = template.fit(data)
        return unfit.isEmpty ? .words(words) : .unfit(unfit.mapValues(\.reason))
      case .jobs:
        guard items[0].isJob, let job = Job(data[0]) else {
          return .unfit([0: "not a command that pipe submit stored"])
        }
        return .job(job)
      }
    }
  }

  /// `addition`: of this claim. `lock`: the descriptor that holds the claims; the command holds them too
  /// while it runs.
  /// `output`, `errors`: its stdout, nil for that of this process, and its stderr.
  func start(
    _ claim: borrowing Claim, _ addition: Addition, lock: Int32?, output: Int32?, errors: Int32
  ) throws(Fault) -> Command.Start {
    let settings = settings(claim)
    switch (input, addition) {
    case (.stdin(let form), _):
      let input = try MemoryFile()
      let bytes = form.output(claim).bytes
      try bytes.withUnsafeBufferPointer { (all) throws(Fault) -> Void in
        try input.write(UnsafeRawBufferPointer(all))
      }
      input.rewind()
      return try start(
        WorkerStreams(input: input.fd, output: output, errors: errors), lock, settings)
    case (_, .job(let job)):
      return try command.start(
        job: job.words, in: job.directory,
        WorkerStreams(input: null!.fd, output: output, errors: errors), keeping: lock,
        settings: settings.map(\.systemBytes) + job.environment)
    case (_, .words(let words)):
      return try command.start(
        words, WorkerStreams(input: null!.fd, output: output, errors: errors), keeping: lock,
        settings: settings,
        inForeground: terminal?.isOurs ?? false)
    case (_, .nothing), (_, .unfit): return .refused("\(name): no arguments")
    }
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
    if claim.items.count == 1 {
      return common + ["PIPE_ID=" + first.entry.text, "PIPE_KEY=" + first.key]
    }
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
