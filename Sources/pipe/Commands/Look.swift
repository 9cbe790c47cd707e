internal import PipeEngine
internal import PipeIO
internal import PipeRender
internal import PipeTime

// What asks about entries.

struct Status: Command {
  static let about = About("status", .look, "Print the status of entries.")

  @Group var queue: QueueOptions

  @Flag("--wait", help: "Wait until each entry is completed or failed.")
  var wait

  @Option("--timeout", value: "duration", "Wait no longer than this.")
  var timeout: SpanArgument?

  @Flag("--output", help: "Show the values that answers gave as output.")
  var output

  @Group var form: TableOptions

  @Arguments("id", isRequired: true, "Ids that enqueue printed.")
  var id: [String]

  func validate() throws(Mistake) {
    if timeout != nil, !wait { throw Mistake("--timeout needs --wait") }
  }

  func run() {
    Exit.perform("status") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "status")
      let queue = try queue.location.open(diagnostics)
      var wait = self.wait ? try SettlingWait(queue, timeout: timeout?.span) : nil
      let output = Output()
      let table = form.json ? nil : EntryTable(.status)
      var result = Exit.fine
      for text in id {
        let id = EntryID(text)
        var status = try id.flatMap { (id) throws(Fault) in try queue.status(id) }
        if let id, status != nil, wait != nil { status = try wait!.settled(id) }
        guard let status else {
          diagnostics.unknown(text, nil, in: queue.path)
          result = max(result, Exit.someFailed)
          continue
        }
        let outputs = self.output ? try queue.outputs(of: status.id) ?? [] : nil
        if let table {
          table.append(status, outputs: outputs ?? [], to: output)
        } else {
          StatusLine.append(status, outputs: outputs, to: output)
        }
        try output.flush()
        guard wait != nil, status.word != .completed else { continue }
        if status.word != .failed {
          diagnostics.say(
            "\(text): still \(status.word.rawValue) at the end of --timeout; pipe explain says why",
            id: text)
        }
        result = max(
          result, status.word == .failed ? Exit.someFailed : Exit.status(of: .tryLater))
      }
      return result
    }
  }
}

/// Waits until entries are settled; renames in now/ wake it.
private struct SettlingWait {
  private let queue: Queue
  private let watch: QueueWatch
  private let deadline: SteadyInstant?

  init(_ queue: Queue, timeout: TimeSpan?) throws(Fault) {
    self.queue = queue
    // Watches before asking, so that settlements in between are reported.
    watch = try queue.watchSettling()
    deadline = timeout.map { Clock.steady() + $0 }
  }

  /// Returns the status once the entry is settled or the deadline has passed.
  mutating func settled(_ id: EntryID) throws(Fault) -> EntryStatus? {
    while true {
      let status = try queue.status(id)
      if status == nil || status?.word == .completed || status?.word == .failed { return status }
      if let deadline, deadline <= Clock.steady() { return status }
      var poller = Poller()
      _ = poller.watch(watch.fd)
      try poller.wait(until: deadline)
      _ = watch.drain { _ in true }
    }
  }
}

struct List: Command {
  static let about = About("list", .look, "Print entries without taking them.")

  @Group var queue: QueueOptions

  @Option("--state", value: "state", "Print items in this state only; repeatable.")
  var state: [ListedEntry.State]

  @Option("-n", value: "n", "Print at most this many lines.")
  var count: Count?

  @Group var form: TableOptions

  func run() {
    Exit.perform("list") { () throws(Fault) in
      let queue = try queue.location.open(Diagnostics(command: "list"))
      let states = state.isEmpty ? [.ready, .claimed, .later] : state
      let output = Output()
      let table = form.json ? nil : EntryTable(.list)
      var left = count?.value ?? .max
      let wantsMore = { () throws(Fault) in
        left -= 1
        if output.bytes.count > 1 << 16 || left == 0 { try output.flush() }
        return left > 0
      }
      try queue.list(states, at: Clock.now()) { (lost) throws(Fault) in
        if let table { table.append(lost, to: output) } else { ListLine.append(lost, to: output) }
        return try wantsMore()
      } _: { (listed) throws(Fault) in
        if let table {
          table.append(listed, to: output)
        } else {
          ListLine.append(listed, to: output)
        }
        return try wantsMore()
      }
      try output.flush()
      return Exit.fine
    }
  }
}

extension ListedEntry.State: OptionValue {}

struct Explain: Command {
  static let about = About(
    "explain", .look, "Explain why entries have not run, and when they will.")

  @Group var queue: QueueOptions

  @Flag("--json", help: "Print a JSON object for each entry instead of a paragraph.")
  var json

  @Arguments("id", isRequired: true, "Ids that enqueue printed.")
  var id: [String]

  func run() {
    Exit.perform("explain") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "explain")
      let queue = try queue.location.open(diagnostics)
      let output = Output()
      var result = Exit.fine
      var isFirst = true
      for text in id {
        let found = try EntryID(text).flatMap { (id) throws(Fault) in try queue.explain(id) }
        guard let found else {
          diagnostics.unknown(text, nil, in: queue.path)
          result = Exit.someFailed
          continue
        }
        let now = Clock.now()
        if json {
          ExplanationLine.append(found, at: now, to: output)
        } else {
          output.append((isFirst ? "" : "\n") + ExplanationText(found, at: now).paragraph + "\n")
        }
        isFirst = false
        try output.flush()
      }
      return result
    }
  }
}
